import type { SignalName } from '@slotstream/protocol'
import { ANY_EVENT } from '../conditions/event-name.js'
import { BUILT_IN_FEATURES } from '../features/built-in.js'
import { RECENT } from './interest-shift.js'
import { PRODUCTS } from './repeated-view.js'

/** The evaluation of a detector, as plain data. */
export interface DetectorExplanation {
  name: SignalName
  kind: 'detector'
  /** Time of evaluation: when the message is applied, before a request that waits for it is answered. */
  evaluated: 'request'
  /** Delay after its message until a signal is found, in seconds. */
  freshness: { seconds: number; text: string }
  /** State per visitor. */
  state: { text: string }
  cost: {
    /** Events whose messages are looked at; `*`: all messages. */
    events: string[]
    text: string
  }
}

/** Events that count for interests, and the states of detectors in words. */
const DETECTORS: Record<SignalName, { events: () => string[]; state: string }> = {
  interest_shift: {
    events: () => BUILT_IN_FEATURES.filter(({ name }) => name === 'category_affinity').flatMap(eventsOf),
    state: `the leading category, sums by category, and the ${RECENT} latest messages with one`,
  },
  session_anomaly: {
    events: () => [ANY_EVENT],
    state: 'numbers of messages and page views in a minute of the session',
  },
  repeated_view: {
    events: () => ['Product Viewed', 'Product Added'],
    state: `views of the ${PRODUCTS} latest products of the session`,
  },
}

/** Explains where a detector is evaluated, how fresh its signals are, what it keeps and what it costs. */
export function explainDetector(name: SignalName): DetectorExplanation {
  const detector = DETECTORS[name]
  const events = detector.events()
  return {
    name,
    kind: 'detector',
    evaluated: 'request',
    freshness: { seconds: 0, text: 'found with the message that shows it' },
    state: { text: `of each visitor ${detector.state}` },
    cost: {
      events,
      text: events.includes(ANY_EVENT)
        ? 'every message is looked at'
        : `messages of ${events.length} events are looked at; others cost nothing`,
    },
  }
}

function eventsOf({ source }: (typeof BUILT_IN_FEATURES)[number]): string[] {
  return 'events' in source ? Object.keys(source.events) : [source.event]
}

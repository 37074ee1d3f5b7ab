import {
  type PatternDefinition,
  type PatternEntity,
  type PatternEvent,
  type PatternKind,
  parseDuration,
  patternKindOf,
} from '@slotstream/protocol'
import { ANY_EVENT } from '../conditions/event-name.js'
import {
  MAX_AMOUNTS,
  MAX_KEPT_BYTES,
  MAX_KEYS_OF_MESSAGE,
  MAX_PENDING,
  MAX_QUIET,
  MAX_REFUTERS,
  MAX_RUNS,
  MAX_TOLD,
  MAX_TOLD_BROWSERS,
  MAX_WINDOW_MESSAGES,
  MAX_WINDOWS,
} from './bounds.js'
import { entityOf, eventsOf } from './entity.js'

/** The evaluation of a pattern, as plain data. */
export interface PatternExplanation {
  name: string
  kind: PatternKind
  /** Those whose messages belong together. */
  entity: PatternEntity
  /**
   * `request`: when the message is applied, before a request that waits for it is answered. `stream`: by a timer, or by
   * a later message of the visitor.
   */
  evaluated: 'request' | 'stream'
  /** Delay after its last message until a signal is found, in seconds, and its composition. */
  freshness: { seconds: number; text: string }
  /** State per visitor, in bytes of JSON. */
  state: { bytesAtMost: number; text: string }
  cost: {
    /** Events whose messages are looked at; `*`: all messages. */
    events: string[]
    /** Conditions that are evaluated for one message at most. */
    conditionsPerMessage: number
    text: string
  }
}

/** Bytes of JSON around what varies, rounded up: names of fields, brackets, commas. */
const FRAME = 64
/** Bytes of a time or an amount, with its comma. */
const NUMBER = 18

/**
 * Explains where a pattern is evaluated, how fresh its signals are, what it keeps and what it costs. It must be valid.
 */
export function explainPattern(definition: PatternDefinition): PatternExplanation {
  const kind = patternKindOf(definition)!
  const graceMs = msOf(definition.grace)
  const waitMs = lastWaitOf(definition)
  const events = [...new Set(eventsOf(definition).map(({ event }) => event))]
  const conditions = mostPerMessage(definition, ({ where }) => where !== undefined)
  const bytesAtMost = bytesOf(definition, kind)
  return {
    name: definition.name,
    kind,
    entity: entityOf(definition),
    evaluated: graceMs + waitMs > 0 ? 'stream' : 'request',
    freshness: { seconds: (graceMs + waitMs) / 1000, text: freshnessOf(graceMs, waitMs) },
    state: { bytesAtMost, text: `at most ${bytesAtMost} bytes a visitor: ${heldOf(definition, kind)}` },
    cost: {
      events,
      conditionsPerMessage: conditions,
      text: costOf(definition, events, conditions),
    },
  }
}

function costOf(definition: PatternDefinition, events: readonly string[], conditions: number): string {
  const looked = events.includes(ANY_EVENT)
    ? `every message is looked at, with ${conditions} conditions at most`
    : `messages of ${events.length} events are looked at, with ${conditions} conditions at most; others cost nothing`
  if (entityOf(definition) === 'visitor') return looked
  return `${looked}; those of a user are told to the user's other browsers, up to ${MAX_TOLD_BROWSERS}`
}

function freshnessOf(graceMs: number, waitMs: number): string {
  if (graceMs + waitMs === 0) return 'found with the message that completes it'
  const parts = [
    ...(waitMs > 0 ? [`${waitMs / 1000} s of absence`] : []),
    ...(graceMs > 0 ? [`${graceMs / 1000} s of grace`] : []),
  ]
  return `found ${parts.join(' and ')} after the last message, by a timer or a later message of the visitor`
}

/** Describes the state of a pattern in words. */
function heldOf(definition: PatternDefinition, kind: PatternKind): string {
  const grace = msOf(definition.grace) > 0 ? `, up to ${MAX_PENDING} messages within the grace` : ''
  const limits = {
    sequence: `up to ${MAX_RUNS} sequences that have begun, one for each key and step, and the ${MAX_TOLD} latest signals`,
    count: `up to ${MAX_WINDOWS} keys with the times of ${MAX_WINDOW_MESSAGES} messages together`,
    sum: `up to ${MAX_WINDOWS} keys with up to ${MAX_AMOUNTS} amounts each, ${MAX_WINDOW_MESSAGES} together`,
    after: `the time of the latest message, and the ${MAX_TOLD} latest signals`,
    changed: 'the latest value and its time',
  }
  return limits[kind] + grace
}

function bytesOf(definition: PatternDefinition, kind: PatternKind): number {
  const text = MAX_KEPT_BYTES + 1
  const run = (times: number) => FRAME + 3 * text + times * NUMBER
  const bytesByKind = {
    sequence: (MAX_RUNS + MAX_TOLD) * run(stepsOf(definition)) + MAX_REFUTERS * (FRAME + NUMBER + text),
    count: MAX_WINDOWS * (FRAME + text) + MAX_WINDOW_MESSAGES * NUMBER,
    sum: MAX_WINDOWS * (FRAME + text) + MAX_WINDOW_MESSAGES * 2 * NUMBER,
    after: FRAME + NUMBER + MAX_TOLD * run(2),
    changed: FRAME + NUMBER + text,
  }
  const keys = mostPerMessage(definition, ({ key }) => key !== undefined) * MAX_KEYS_OF_MESSAGE
  const hits = mostPerMessage(definition, () => true)
  const fact = 2 * FRAME + 3 * text + 3 * NUMBER + hits * NUMBER + keys * text
  const pending = msOf(definition.grace) > 0 ? MAX_PENDING * fact : 0
  const quiet = definition.quiet === undefined ? 0 : MAX_QUIET * (FRAME + text + NUMBER)
  return 2 * FRAME + NUMBER + definition.name.length + bytesByKind[kind] + pending + quiet
}

/** Steps of one kind that one message may fit at most. */
function mostPerMessage(definition: PatternDefinition, isOf: (event: PatternEvent) => boolean): number {
  const events = eventsOf(definition).filter(isOf)
  const ofAny = events.filter(({ event }) => event === ANY_EVENT).length
  const numbers = events
    .filter(({ event }) => event !== ANY_EVENT)
    .map(({ event }) => events.filter(other => other.event === event).length)
  return ofAny + Math.max(0, ...numbers)
}

function stepsOf(definition: PatternDefinition): number {
  return 'sequence' in definition ? definition.sequence.length : 1
}

/** Milliseconds of the absence at the end of a sequence. */
function lastWaitOf(definition: PatternDefinition): number {
  const last = 'sequence' in definition ? definition.sequence.at(-1) : undefined
  return last && 'not' in last ? msOf(last.within) : 0
}

function msOf(duration: string | undefined): number {
  return duration === undefined ? 0 : (parseDuration(duration) ?? 0)
}

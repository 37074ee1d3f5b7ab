import {
  type Earning,
  type EndingEvent,
  type EventEnvelope,
  isPersonKey,
  type KeptDecision,
  type LearningRecord,
  type Profile,
  type Sender,
  type ShownContent,
  type StoredMessage,
  senderOf,
} from '@slotstream/protocol'
import { crawlerOf } from '../bots/crawler-of.js'
import { ANY_EVENT, eventNameOf } from '../conditions/event-name.js'
import { joinedBrowsers } from '../identity/links.js'
import { timeOf } from '../profile/sessions.js'
import { type Taught, withoutOldCounts } from './bounds/taught.js'
import { earningOf, withEarning } from './earnings.js'
import { withoutPast, withoutSpent, withServed } from './keep.js'
import { type Arrivals, countArrivals, movesStratum } from './losses/arrivals.js'
import { RESPONSES, withResponse } from './responses.js'
import { rewardsOf } from './rewards.js'
import { withEnding, withShown, withStopped } from './stopped.js'
import { tellRecords } from './tell.js'

/** The decisions of a visitor while the messages of an envelope are applied, and what comes of them. */
export interface Ledger {
  /** Takes a message of time `at`, in milliseconds since the epoch. */
  look(message: StoredMessage, at: number): void
  /**
   * Puts what is kept now into the profile.
   *
   * @param isLeftOut whether the visitor seems to be a program, of which policies do not learn; asked where they would
   * @returns what policies have to learn, and what a user's browsers have to be told
   */
  finish(after: Profile, isLeftOut: () => boolean): LedgerOutcome
}

export interface LedgerOutcome {
  /** Absent: nothing. */
  learning?: LearningRecord[]
  /** Absent: nothing. */
  forward?: Forward
}

/** Messages of a user without a browser, for the decisions that the user's browsers keep. */
export interface Forward {
  /** Browsers that the user is joined with. */
  browsers: string[]
  messages: StoredMessage[]
  /** Kind of the messages' sender, for what they may earn. Absent: `public` */
  sender?: Sender
}

/** The rules of a site for the ledgers of its visitors. */
export interface LedgerRules {
  /** True if visitors who seem to be programs count. Default: false */
  includesBots?: boolean
  /** Events that content of the site names in `stopAfter`. Default: none */
  stopEvents?: ReadonlySet<string>
}

const NONE: readonly never[] = []

/**
 * Begins to keep the decisions of a visitor. What is kept, and what policies have learned in the end, follows from the
 * decisions and messages themselves, not from the order in which they arrive; of more outcomes than a visitor teaches
 * in a day, those that arrive first are learned. Messages of crawlers that name themselves say nothing of decisions.
 */
export function keepLedger(
  before: Profile | undefined,
  envelope: EventEnvelope,
  { includesBots = false, stopEvents }: LedgerRules = {},
): Ledger {
  const receivedAt = timeOf(envelope.receivedAt)
  const sender = senderOf(envelope.sender)
  const { served = NONE } = envelope
  let decisions: readonly KeptDecision[] = before?.decisions ?? NONE
  let earnings: readonly Earning[] = before?.earnings ?? NONE
  let stopped: readonly string[] = before?.stopped ?? NONE
  const shown: readonly ShownContent[] = withShown(before?.shown ?? NONE, served)
  let endings: readonly EndingEvent[] = before?.endings ?? NONE
  let taught: Taught = before?.taught ?? []
  const arrivalsBefore: Arrivals = before?.arrivals ?? []
  const counted = countArrivals(arrivalsBefore, receivedAt)
  if (!Number.isNaN(receivedAt)) {
    decisions = withoutPast(decisions, receivedAt)
    taught = withoutOldCounts(taught, decisions, receivedAt)
  }
  if (served.length > 0) decisions = withServed(decisions, served)
  let isChanged = served.length > 0
  // Servers' events are forwarded, and a claim says nothing of other browsers.
  const noted = sender === 'unsigned' || isPersonKey(envelope.visitorId) ? undefined : stopEvents
  const forUser: StoredMessage[] = []

  function look(message: StoredMessage, at: number): void {
    if (Number.isNaN(at) || !isOfInterest(decisions, shown, message)) return
    if (!includesBots && crawlerOf(message) !== undefined) return
    stopped = withStopped(stopped, { decisions, shown }, message, at)
    if (decisions.length === 0) return
    isChanged = true
    decisions = withResponse(decisions, message, at)
    const earning = earningOf(decisions, message, at, sender)
    if (earning) earnings = withEarning(earnings, earning)
  }

  for (const message of envelope.forwarded ?? NONE) look(message, timeOf(message.timestamp))
  return {
    look(message, at) {
      if (isPersonKey(envelope.visitorId)) forUser.push(message)
      if (decisions[0]) counted.note(message, at, decisions[0])
      if (noted?.has(eventNameOf(message)) && (includesBots || crawlerOf(message) === undefined))
        endings = withEnding(endings, message, at)
      look(message, at)
    },
    finish(after, isLeftOut) {
      const isOlder = decisions !== before?.decisions
      if (isChanged || isOlder) earnings = withoutSpent(earnings, decisions)
      const arrivals = counted.all(decisions)
      const isDue = isChanged || movesStratum(decisions, arrivalsBefore, arrivals)
      const outcome = isDue ? tellRecords(decisions, earnings, taught, arrivals, before?.earnings) : undefined
      const isTold = outcome !== undefined && outcome.records.length > 0 && !isLeftOut()
      if (isTold) ({ decisions, taught } = outcome)
      put(after, 'decisions', decisions)
      put(after, 'earnings', earnings)
      put(after, 'taught', taught)
      put(after, 'stopped', stopped)
      put(after, 'shown', shown)
      put(after, 'endings', endings)
      put(after, 'arrivals', arrivals)
      const browsers = forUser.length > 0 && after.links ? joinedBrowsers(after.userId, after.links) : NONE
      return {
        ...(isTold && { learning: outcome.records }),
        ...(browsers.length > 0 && {
          forward: { browsers: [...browsers], messages: forUser, ...(sender !== 'public' && { sender }) },
        }),
      }
    },
  }
}

type ListField = 'decisions' | 'earnings' | 'taught' | 'stopped' | 'shown' | 'endings' | 'arrivals'

function put(after: Profile, field: ListField, list: readonly unknown[]): void {
  if (list.length > 0) Object.assign(after, { [field]: list })
  else if (after[field]) delete after[field]
}

const interests = new WeakMap<readonly KeptDecision[], ReadonlySet<string>>()

/** Returns whether a message may be about decisions or end content. Called for every message; most do not. */
function isOfInterest(
  decisions: readonly KeptDecision[],
  shown: readonly ShownContent[],
  message: StoredMessage,
): boolean {
  const event = eventNameOf(message)
  if (shown.some(([, stopAfter]) => stopAfter === event)) return true
  if (decisions.length === 0) return false
  const eventNames = interests.get(decisions) ?? interestOf(decisions)
  interests.set(decisions, eventNames)
  return eventNames.has(event) || eventNames.has(ANY_EVENT)
}

function interestOf(decisions: readonly KeptDecision[]): ReadonlySet<string> {
  const events = new Set<string>(RESPONSES)
  for (const decision of decisions) {
    if (!decision.isOnlyCounted) for (const event of rewardsOf(decision).events) events.add(event)
    for (const { stopAfter } of decision.items) if (stopAfter !== undefined) events.add(stopAfter)
  }
  return events
}

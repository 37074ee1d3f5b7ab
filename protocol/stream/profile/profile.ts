import type { Earning, KeptDecision } from '../learning/kept-decision.js'
import type { FeatureStates } from './feature-states.js'
import type { Links } from './identity.js'
import type { PatternStates } from './pattern-states.js'
import type { Members } from './segment-news.js'
import type { SignalMemory } from './signals.js'

/** Content that was shown, the event after which it is not shown again, and when it was shown first (ms since 1970). */
export type ShownContent = [contentId: string, stopAfter: string, firstAt: number]

/** An event, the `userId` under which it was sent ('' for none), and its latest time in ms since 1970. */
export type EndingEvent = [event: string, userId: string, lastAt: number]

/** A visitor's profile as the store keeps it. */
export interface Profile {
  siteId: string
  visitorId: string
  anonymousId: string
  userId: string
  /**
   * Time of the message that named `userId`, in milliseconds since the epoch. Absent: none did, or it was stored before
   * this was noted.
   */
  userAt?: number
  /** ISO 8601. */
  firstSeen: string
  lastSeen: string
  /**
   * When the last message was received, by the server's clock, ISO 8601. Absent in profiles stored before it was noted.
   */
  lastReceived?: string
  /** Sessions so far. */
  sessions: number
  /** The running session: its id, start and last activity. */
  session: { id: string; startedAt: string; lastAt: string } | null
  events: number
  /** Interest by category: a decayed sum, valid at `affinitiesAt`. */
  affinities: Record<string, number>
  affinitiesAt: string
  /** Traits of all users of the visitor together, as they were set last. */
  traits: Record<string, unknown>
  /**
   * The same of a browser by the `userId` under which they were sent, '' for none. Absent: none, or stored before they
   * were told apart. A user without traits and times is the first of those for whom there was no room.
   */
  traitsByUser?: Record<string, Record<string, unknown>>
  /**
   * When each of them was set or removed last: hashes of names and times in milliseconds since the epoch, in turn, by
   * hash. What is not listed was stored before times were noted.
   */
  traitTimes?: number[]
  traitTimesByUser?: Record<string, number[]>
  segments: string[]
  /** Stream sequence of the last message applied: replays up to it are skipped. */
  seq: number
  /** Hashes of the latest message ids, oldest first, so that a late second send doesn't count twice. */
  recent: number[]
  /** The detectors' memory. Absent in profiles that were stored before there were any. */
  signalMemory?: SignalMemory
  /** The patterns' memory. Absent: nothing yet. */
  patterns?: PatternStates
  /** Hashes of the latest messages of the person's other visitors that were told, oldest first. Absent: none. */
  heard?: number[]
  /**
   * Names of the latest signals and the times of their messages, in milliseconds since the epoch, the latest first; and
   * of a browser the user whose it is, '' for none, where that is not the first one.
   */
  recentSignals?: [name: string, at: number, user?: string][]
  /** Segments that the person is in, where the profile stands for one. Absent: none. */
  members?: Members
  /** Features of messages that name no user. Absent in profiles that were stored before there were any. */
  features?: FeatureStates
  /** The same of messages of a browser that name a user, by `userId`; of users beyond a bound together by ''. */
  featuresByUser?: Record<string, FeatureStates>
  /** Users of a browser by `userId`, browsers of a user by `anonymousId`. Absent: none. */
  links?: Links
  /** Latest decisions that showed something to the visitor, the latest last. Absent: none. */
  decisions?: KeptDecision[]
  /** Gains from messages by the rewards of these decisions, by time. Absent: none. */
  earnings?: Earning[]
  /**
   * Outcomes that policies have learned of, by slot and day since 1970 of their decisions: so many a day count. Absent:
   * none.
   */
  taught?: [slotId: string, day: number, outcomes: number][]
  /** Content that the visitor is not shown again, see `Content.stopAfter`. Absent: none. */
  stopped?: string[]
  /** Content with a `stopAfter` that the visitor was shown, of a bounded number. Absent: none. */
  shown?: ShownContent[]
  /** Events of a browser's visitor that content of the site names in `stopAfter`, of a bounded number. Absent: none. */
  endings?: EndingEvent[]
  /**
   * Messages of the browser since its oldest decision here, by day since 1970 of their time and hash of their session:
   * the lowest and highest number that the browser gave them (`context.seq`), and how many arrived. Absent: none.
   */
  arrivals?: [day: number, run: number, first: number, last: number, arrived: number][]
}

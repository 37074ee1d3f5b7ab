import type {
  JsonObject,
  PatternDefinition,
  PatternFact,
  PatternHit,
  PatternKind,
  PatternState,
} from '@slotstream/protocol'
import type { Condition } from '../conditions/condition.js'
import type { PathValue } from '../conditions/message-paths.js'

/** Reads all values at a path of a message. */
export type ReadValues = (message: unknown) => PathValue[]

/** A pattern that was found in a visitor's messages, or that a late message refutes. */
export interface Match {
  pattern: string
  /**
   * Id that is unique among the matches of the pattern and visitor, the same whenever it is found: the id of its last
   * message; with the key where the pattern has one, because one message may end several matches.
   */
  id: string
  /**
   * Id of the message that completed it; for an absence, of the message that began it. One of more than 90 characters
   * is shortened, as is a session.
   */
  messageId: string
  /** Session of that message; empty where it was not known. */
  sessionId: string
  /**
   * Time of the match, in milliseconds since the epoch: that of its last message, or when the absence was long enough.
   */
  at: number
  details: JsonObject
  /** That message is of another visitor of the person, who reports the match. */
  isTold?: true
  /**
   * User of the browser in whose messages it was found, '' for one who is not joined. Absent: the first user, or a
   * pattern of visitors.
   */
  user?: string
  /** A late message shows that it was none. The match has the `id` of the first. */
  retracted?: true
}

/** A match as a pattern's logic reports it, before it has the pattern's name. */
export type PatternReport = Omit<Match, 'pattern' | 'id'> & { key: string }

/** Takes what was found; false: it is kept back, because the pattern is quiet after another one. */
export type Tell = (report: PatternReport) => boolean

/** Messages that a step looks for. */
export interface Matcher {
  event: string
  /** Place among the pattern's matchers. */
  step: number
  /** The hit of a message without key, made once. */
  hit: PatternHit
  condition?: Condition
  readKeys?: ReadValues
}

/** Logic of one kind of pattern. Pure: returns the state after, or the same when nothing changed. */
export interface PatternLogic {
  /**
   * Takes a message as `take` does, where that reports nothing and reads little; undefined where it may. Absent: never
   * possible.
   */
  glance?(state: PatternState, fact: PatternFact): PatternState | undefined
  /** Takes a message whose turn it is. */
  take(state: PatternState, fact: PatternFact, tell: Tell): PatternState
  /** Returns the earliest time at which an absence is long enough; infinity where none is waited for. */
  deadline(state: PatternState): number
  /** Ends the absences that are long enough at the time of the earliest. */
  expire(state: PatternState, tell: Tell): PatternState
}

export interface CompiledPattern {
  definition: PatternDefinition
  kind: PatternKind
  name: string
  version: string
  matchers: Matcher[]
  isKeyed: boolean
  /** True if messages of all visitors of a person belong together. */
  isOfPerson: boolean
  graceMs: number
  quietMs: number
  /** True if something can happen without a message: an absence, or the end of a grace. */
  hasTimers: boolean
  /** True if it matters which messages were taken before. The others know the latest of all. */
  needsSettled: boolean
  /** Reads the values that a sum adds, or a change compares. */
  readValue?: ReadValues
  logic: PatternLogic
}

/** A set of patterns, ready for messages. */
export interface CompiledPatterns {
  version: string
  /** Patterns in the order in which they were declared. */
  patterns: readonly CompiledPattern[]
  byName: ReadonlyMap<string, CompiledPattern>
  /** Patterns that look at a message, each with its matchers, by the message's event name. */
  byEvent: ReadonlyMap<string, readonly Watch[]>
  /** Those that look at any message. */
  ofAny: readonly Watch[]
}

/** A pattern that looks at messages of one event name. */
export interface Watch {
  pattern: CompiledPattern
  matchers: readonly Matcher[]
}

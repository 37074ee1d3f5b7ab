import {
  type PatternFact,
  type PatternState,
  type PatternStates,
  parseTime,
  type StoredMessage,
} from '@slotstream/protocol'
import { eventNameOf } from '../conditions/event-name.js'
import { MAX_USERS } from './bounds.js'
import type { CompiledPattern, CompiledPatterns, Match } from './compiled.js'
import { factOf, idsOf } from './facts.js'
import { arrive, dueOf, settle } from './settle.js'

/** The context of a message. */
export interface PatternScope {
  /** Session that the message belongs to, for the matches that it begins or completes. */
  sessionId?: string
  /** The message's time in milliseconds since the epoch, where the caller has it already. */
  at?: number
  /** True if the message is of another visitor of the person: only patterns of persons look at it. Default: false */
  isTold?: boolean
  /**
   * User of the browser whose message it is, where that is not the first one: patterns of persons keep it apart. ''
   * for a user who is not joined. Default: the first one's
   */
  user?: string | undefined
}

/** States of patterns, by name. */
type ByName = Record<string, PatternState>

export interface PatternOutcome {
  /** State to store, as JSON, and to hand in the next time. Undefined: nothing is remembered. */
  state: PatternStates | undefined
  /** Matches in the order in which the patterns were declared, those of one pattern by time. */
  found: Match[]
  /** Earliest time, in milliseconds since the epoch, at which `firePatterns` must be called. Undefined: never. */
  due?: number
  /** A pattern of persons has taken the message, which is to be told to the person's other visitors. */
  isOfInterest?: true
}

/**
 * Lets all patterns look at one message of a visitor. Pure: the same messages give the same, in whatever batches, and
 * from any state that was stored in between. Messages that arrive again must be left out by the caller.
 *
 * @throws when the message has no usable time
 */
export function stepPatterns(
  patterns: CompiledPatterns,
  before: PatternStates | undefined,
  message: StoredMessage,
  { sessionId = '', at = parseTime(message.timestamp), isTold = false, user }: PatternScope = {},
): PatternOutcome {
  if (at === undefined || Number.isNaN(at)) throw new Error('the message has no usable timestamp')
  const states = current(patterns, before)
  const matches: Match[] = []
  const changes = new Changes(patterns, states)
  if (states?.due !== undefined && at >= states.due) changes.settleAll(at, matches, isTold)
  const watches = patterns.byEvent.get(eventNameOf(message)) ?? patterns.ofAny
  const ids = watches.length > 0 ? idsOf(message, at, sessionId) : undefined
  if (ids && isTold) ids.isTold = isTold
  let isOfInterest = false
  for (const watch of watches) {
    if (isTold && !watch.pattern.isOfPerson) continue
    const fact = factOf(watch, message, ids!)
    if (!fact) continue
    if (watch.pattern.isOfPerson) isOfInterest = true
    changes.arrive(watch.pattern, user, fact, matches)
  }
  const result = outcome(changes.states(), matches)
  if (isOfInterest) result.isOfInterest = true
  return result
}

/** Does what is due at a time without a message: ends absences, and takes the messages whose grace is over. Pure. */
export function firePatterns(
  patterns: CompiledPatterns,
  before: PatternStates | undefined,
  now: number,
): PatternOutcome {
  const states = current(patterns, before)
  const matches: Match[] = []
  if (states?.due === undefined || now < states.due) return outcome(states, matches)
  const changes = new Changes(patterns, states)
  changes.settleAll(now, matches)
  return outcome(changes.states(), matches)
}

/** The states of a set of patterns while they change. What was handed in stays as it is. */
class Changes {
  readonly #patterns: CompiledPatterns
  readonly #before: PatternStates | undefined
  #of: ByName | undefined
  #byUser: Record<string, ByName> | undefined
  #isDueKnown = true

  constructor(patterns: CompiledPatterns, before: PatternStates | undefined) {
    this.#patterns = patterns
    this.#before = before
  }

  settleAll(now: number, matches: Match[], isTold = false): void {
    for (const pattern of this.#patterns.patterns) {
      if (!pattern.hasTimers || (isTold && !pattern.isOfPerson)) continue
      const others = pattern.isOfPerson && this.#before?.byUser ? Object.keys(this.#before.byUser) : []
      for (const user of [undefined, ...others]) {
        const state = this.#stateOf(pattern, user)
        if (dueOf(pattern, state) <= now)
          this.#put(
            pattern,
            user,
            state,
            ofUser(user, matches, matched => settle(pattern, state, now, matched)),
          )
      }
    }
  }

  arrive(pattern: CompiledPattern, whose: string | undefined, fact: PatternFact, matches: Match[]): void {
    const user = pattern.isOfPerson ? this.#apart(whose) : undefined
    const state = this.#stateOf(pattern, user)
    this.#put(
      pattern,
      user,
      state,
      ofUser(user, matches, matched => arrive(pattern, state, fact, matched)),
    )
  }

  /** Returns the user under whom a message is kept: of more than are told apart, it is of none. */
  #apart(user: string | undefined): string | undefined {
    const byUser = this.#byUser ?? this.#before?.byUser ?? {}
    return user && !Object.hasOwn(byUser, user) && Object.keys(byUser).length >= MAX_USERS ? '' : user
  }

  #stateOf(pattern: CompiledPattern, user: string | undefined): PatternState {
    const byName = user === undefined ? (this.#of ?? this.#before?.of) : this.#ofUser(user)
    return stateIn(byName, pattern) ?? { version: pattern.version }
  }

  #ofUser(user: string): ByName | undefined {
    const byUser = this.#byUser ?? this.#before?.byUser
    return byUser && Object.hasOwn(byUser, user) ? byUser[user] : undefined
  }

  #put(
    { name, hasTimers }: CompiledPattern,
    user: string | undefined,
    before: PatternState,
    after: PatternState,
  ): void {
    if (after === before) return
    if (user === undefined) {
      this.#of ??= { ...this.#before?.of }
      this.#of[name] = after
    } else {
      // No assignment: a user may be called `__proto__`.
      this.#byUser = { ...(this.#byUser ?? this.#before?.byUser), [user]: { ...this.#ofUser(user), [name]: after } }
    }
    if (hasTimers) this.#isDueKnown = false
  }

  states(): PatternStates | undefined {
    if (!this.#of && !this.#byUser) return this.#before
    const byName = this.#of ?? this.#before?.of ?? {}
    const byUser = this.#byUser ?? this.#before?.byUser
    if (!this.#isDueKnown || !this.#before) return statesWith(this.#patterns, byName, byUser)
    return { ...this.#before, of: byName, ...(byUser && { byUser }) }
  }
}

/** Notes of matches of whose messages they are. */
function ofUser(user: string | undefined, matches: Match[], look: (matched: Match[]) => PatternState): PatternState {
  if (user === undefined) return look(matches)
  const matched: Match[] = []
  const state = look(matched)
  for (const match of matched) matches.push({ ...match, user })
  return state
}

function outcome(state: PatternStates | undefined, matches: Match[]): PatternOutcome {
  return { state, found: matches, ...(state?.due !== undefined && { due: state.due }) }
}

/** Returns the states of this set of patterns: those of other definitions are dropped. */
function current(patterns: CompiledPatterns, before: PatternStates | undefined): PatternStates | undefined {
  if (!before || before.version === patterns.version) return before
  const byUser = before.byUser && Object.entries(before.byUser)
  const ofUsers = byUser?.map(([user, byName]): [string, ByName] => [user, currentOf(patterns, byName)])
  return statesWith(patterns, currentOf(patterns, before.of), ofUsers && Object.fromEntries(ofUsers))
}

function currentOf(patterns: CompiledPatterns, before: Readonly<ByName>): ByName {
  const byName: ByName = {}
  for (const pattern of patterns.patterns) {
    const state = stateIn(before, pattern)
    if (state) byName[pattern.name] = state
  }
  return byName
}

function statesWith(patterns: CompiledPatterns, first: ByName, byUser?: Record<string, ByName>): PatternStates {
  let due = Number.POSITIVE_INFINITY
  for (const byName of [first, ...Object.values(byUser ?? {})])
    for (const pattern of patterns.patterns) {
      const state = pattern.hasTimers ? stateIn(byName, pattern) : undefined
      if (state) due = Math.min(due, dueOf(pattern, state))
    }
  return {
    version: patterns.version,
    ...(due < Number.POSITIVE_INFINITY && { due }),
    of: first,
    ...(byUser && { byUser }),
  }
}

/**
 * Returns the state of a pattern. A property that every object inherits under its name has no version, or another one.
 */
function stateIn(byName: Readonly<ByName> | undefined, { name, version }: CompiledPattern): PatternState | undefined {
  const state = byName?.[name]
  return state?.version === version ? state : undefined
}

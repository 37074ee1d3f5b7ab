import {
  type PatternFact,
  type PatternState,
  type PatternStates,
  parseTime,
  type StoredMessage,
} from '@slotstream/protocol'
import { eventNameOf } from '../conditions/event-name.js'
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
}

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
  { sessionId = '', at = parseTime(message.timestamp), isTold = false }: PatternScope = {},
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
    changes.arrive(watch.pattern, fact, matches)
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
  #of: Record<string, PatternState> | undefined
  #isDueKnown = true

  constructor(patterns: CompiledPatterns, before: PatternStates | undefined) {
    this.#patterns = patterns
    this.#before = before
  }

  settleAll(now: number, matches: Match[], isTold = false): void {
    for (const pattern of this.#patterns.patterns) {
      if (!pattern.hasTimers || (isTold && !pattern.isOfPerson)) continue
      const state = this.#stateOf(pattern)
      if (dueOf(pattern, state) <= now) this.#put(pattern, state, settle(pattern, state, now, matches))
    }
  }

  arrive(pattern: CompiledPattern, fact: PatternFact, matches: Match[]): void {
    const state = this.#stateOf(pattern)
    this.#put(pattern, state, arrive(pattern, state, fact, matches))
  }

  #stateOf(pattern: CompiledPattern): PatternState {
    return stateIn(this.#of ?? this.#before?.of, pattern) ?? { version: pattern.version }
  }

  #put({ name, hasTimers }: CompiledPattern, before: PatternState, after: PatternState): void {
    if (after === before) return
    this.#of ??= { ...this.#before?.of }
    this.#of[name] = after
    if (hasTimers) this.#isDueKnown = false
  }

  states(): PatternStates | undefined {
    if (!this.#of) return this.#before
    if (!this.#isDueKnown || !this.#before) return statesWith(this.#patterns, this.#of)
    return { ...this.#before, of: this.#of }
  }
}

function outcome(state: PatternStates | undefined, matches: Match[]): PatternOutcome {
  return { state, found: matches, ...(state?.due !== undefined && { due: state.due }) }
}

/** Returns the states of this set of patterns: those of other definitions are dropped. */
function current(patterns: CompiledPatterns, before: PatternStates | undefined): PatternStates | undefined {
  if (!before || before.version === patterns.version) return before
  const byName: Record<string, PatternState> = {}
  for (const pattern of patterns.patterns) {
    const state = stateIn(before.of, pattern)
    if (state) byName[pattern.name] = state
  }
  return statesWith(patterns, byName)
}

function statesWith(patterns: CompiledPatterns, byName: Record<string, PatternState>): PatternStates {
  let due = Number.POSITIVE_INFINITY
  for (const pattern of patterns.patterns) {
    const state = pattern.hasTimers ? stateIn(byName, pattern) : undefined
    if (state) due = Math.min(due, dueOf(pattern, state))
  }
  return { version: patterns.version, ...(due < Number.POSITIVE_INFINITY && { due }), of: byName }
}

/**
 * Returns the state of a pattern. A property that every object inherits under its name has no version, or another one.
 */
function stateIn(
  byName: Readonly<Record<string, PatternState>> | undefined,
  { name, version }: CompiledPattern,
): PatternState | undefined {
  const state = byName?.[name]
  return state?.version === version ? state : undefined
}

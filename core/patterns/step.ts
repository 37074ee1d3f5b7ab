import { type PatternState, type PatternStates, parseTime, type StoredMessage } from '@slotstream/protocol'
import { eventNameOf } from '../conditions/event-name.js'
import type { CompiledPattern, CompiledPatterns, Match } from './compiled.js'
import { factOf } from './facts.js'
import { keptText } from './kept-text.js'
import { arrive, dueOf, settle } from './settle.js'

/** What is known of a message beside itself. */
export interface PatternScope {
  /** Session that the message belongs to, for the matches that it begins or completes. */
  sessionId?: string
  /** The message's time in milliseconds since the epoch, where the caller has it already. */
  at?: number
}

export interface PatternOutcome {
  /** To be stored, as JSON, and handed in the next time. Undefined: nothing is remembered. */
  state: PatternStates | undefined
  /** In the order in which the patterns were declared, those of one pattern by time. */
  found: Match[]
  /** Earliest time, in milliseconds since the epoch, at which `firePatterns` must be called. Undefined: never. */
  due?: number
}

/**
 * Lets all patterns look at one message of a visitor. Pure: the same messages give the same, in whatever batches, and from
 * any state that was stored in between. Messages that arrive again must be left out by the caller.
 *
 * @throws when the message has no usable time
 */
export function stepPatterns(
  patterns: CompiledPatterns,
  before: PatternStates | undefined,
  message: StoredMessage,
  { sessionId = '', at = parseTime(message.timestamp) }: PatternScope = {},
): PatternOutcome {
  if (at === undefined || Number.isNaN(at)) throw new Error('the message has no usable timestamp')
  const states = current(patterns, before)
  const found: Match[] = []
  const changes = new Changes(patterns, states)
  if (states?.due !== undefined && at >= states.due) changes.settleAll(at, found)
  const watches = patterns.byEvent.get(eventNameOf(message)) ?? patterns.ofAny
  for (const watch of watches) {
    const fact = factOf(watch, message, at, keptText(sessionId))
    if (fact) changes.put(watch.pattern, arrive(watch.pattern, changes.stateOf(watch.pattern), fact, found))
  }
  return outcome(changes.states(), found)
}

/** Does what is due at a time without a message: ends absences, and takes the messages whose grace is over. Pure. */
export function firePatterns(
  patterns: CompiledPatterns,
  before: PatternStates | undefined,
  now: number,
): PatternOutcome {
  const states = current(patterns, before)
  const found: Match[] = []
  if (states?.due === undefined || now < states.due) return outcome(states, found)
  const changes = new Changes(patterns, states)
  changes.settleAll(now, found)
  return outcome(changes.states(), found)
}

/** The states of a set of patterns while they change. What was handed in stays as it is. */
class Changes {
  readonly #patterns: CompiledPatterns
  readonly #before: PatternStates | undefined
  #of: Record<string, PatternState> | undefined

  constructor(patterns: CompiledPatterns, before: PatternStates | undefined) {
    this.#patterns = patterns
    this.#before = before
  }

  stateOf({ name, version }: CompiledPattern): PatternState {
    return stateIn(this.#of ?? this.#before?.of, name) ?? { version }
  }

  put(pattern: CompiledPattern, state: PatternState): void {
    if (state === this.stateOf(pattern)) return
    this.#of ??= { ...this.#before?.of }
    this.#of[pattern.name] = state
  }

  settleAll(now: number, found: Match[]): void {
    for (const pattern of this.#patterns.patterns) {
      const state = this.stateOf(pattern)
      if (dueOf(pattern, state) <= now) this.put(pattern, settle(pattern, state, now, found))
    }
  }

  states(): PatternStates | undefined {
    return this.#of ? statesWith(this.#patterns, this.#of) : this.#before
  }
}

function outcome(state: PatternStates | undefined, found: Match[]): PatternOutcome {
  return { state, found, ...(state?.due !== undefined && { due: state.due }) }
}

/** The states of this set of patterns: what belongs to other definitions is dropped. */
function current(patterns: CompiledPatterns, before: PatternStates | undefined): PatternStates | undefined {
  if (!before || before.version === patterns.version) return before
  const of: Record<string, PatternState> = {}
  for (const { name, version } of patterns.patterns) {
    const state = stateIn(before.of, name)
    if (state?.version === version) of[name] = state
  }
  return statesWith(patterns, of)
}

function statesWith(patterns: CompiledPatterns, of: Record<string, PatternState>): PatternStates {
  let due = Number.POSITIVE_INFINITY
  for (const pattern of patterns.patterns) {
    const state = stateIn(of, pattern.name)
    if (state) due = Math.min(due, dueOf(pattern, state))
  }
  return { version: patterns.version, ...(due < Number.POSITIVE_INFINITY && { due }), of }
}

/** The state of a pattern. Names may be those of what every object inherits. */
function stateIn(of: Readonly<Record<string, PatternState>> | undefined, name: string): PatternState | undefined {
  return of && Object.hasOwn(of, name) ? of[name] : undefined
}

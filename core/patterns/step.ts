import { type PatternStates, parseTime, type StoredMessage } from '@slotstream/protocol'
import { eventNameOf } from '../conditions/event-name.js'
import { Changes } from './changes.js'
import type { CompiledPatterns, Match } from './compiled.js'
import { factOf, idsOf } from './facts.js'

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

/** Patterns while the messages of a visitor are looked at, one after the other. */
export interface PatternSteps {
  /**
   * Lets all patterns look at one message. Messages that arrive again must be left out by the caller.
   *
   * @throws when the message has no usable time
   */
  look(message: StoredMessage, scope?: PatternScope): Pick<PatternOutcome, 'found' | 'isOfInterest'>
  /** Does what is due at a time without a message: ends absences, and takes the messages whose grace is over. */
  fire(now: number): Match[]
  /** Returns what the patterns remember so far. It changes with the next step. */
  states(): PatternStates | undefined
}

/**
 * Begins to let all patterns look at a visitor's messages. The same messages give the same, in whatever batches, and
 * from any state that was stored in between. `before` is not changed.
 */
export function beginSteps(patterns: CompiledPatterns, before: PatternStates | undefined): PatternSteps {
  const changes = new Changes(patterns, before)
  return {
    look(message, { sessionId = '', at = parseTime(message.timestamp), isTold = false, user } = {}) {
      if (at === undefined || Number.isNaN(at)) throw new Error('the message has no usable timestamp')
      const matches: Match[] = []
      if (at >= changes.due) changes.settleAll(at, matches, isTold)
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
      return isOfInterest ? { found: matches, isOfInterest } : { found: matches }
    },
    fire(now) {
      const matches: Match[] = []
      if (now >= changes.due) changes.settleAll(now, matches)
      return matches
    },
    states: () => changes.states(),
  }
}

/**
 * Lets all patterns look at one message of a visitor, see `beginSteps`. Pure.
 *
 * @throws when the message has no usable time
 */
export function stepPatterns(
  patterns: CompiledPatterns,
  before: PatternStates | undefined,
  message: StoredMessage,
  scope?: PatternScope,
): PatternOutcome {
  const steps = beginSteps(patterns, before)
  const sight = steps.look(message, scope)
  return { ...outcome(steps), ...sight }
}

/** Does what is due at a time without a message, see `beginSteps`. Pure. */
export function firePatterns(
  patterns: CompiledPatterns,
  before: PatternStates | undefined,
  now: number,
): PatternOutcome {
  const steps = beginSteps(patterns, before)
  const matches = steps.fire(now)
  return { ...outcome(steps), found: matches }
}

function outcome(steps: PatternSteps): Pick<PatternOutcome, 'state' | 'due'> {
  const state = steps.states()
  return { state, ...(state?.due !== undefined && { due: state.due }) }
}

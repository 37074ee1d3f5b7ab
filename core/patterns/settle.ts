import { joined, type PatternFact, type PatternState } from '@slotstream/protocol'
import { MAX_PENDING, MAX_QUIET } from './bounds.js'
import type { CompiledPattern, Match, PatternReport, Tell } from './compiled.js'
import { compareFacts } from './facts.js'
import { stateWith } from './kinds/state-with.js'

/**
 * Returns the state of a pattern after a message arrived. Without grace the message is taken now. With grace it waits
 * until messages that are as late can no longer arrive, so that all are taken in the order of their times. A later
 * message is taken at once.
 */
export function arrive(
  pattern: CompiledPattern,
  before: PatternState,
  fact: PatternFact,
  matches: Match[],
): PatternState {
  const { graceMs } = pattern
  if (graceMs === 0 || (before.settled !== undefined && fact.at < before.settled))
    return take(pattern, before, fact, matches)
  const pending = [...(before.pending ?? []), fact].sort(compareFacts)
  let state = settle(pattern, stateWith(before, { pending }), fact.at, matches)
  while (state.pending && state.pending.length > MAX_PENDING) state = takeOldest(pattern, state, matches)
  return state
}

/**
 * Returns the state of a pattern at a time: the messages whose grace is over are taken, and the absences that are over
 * ended.
 */
export function settle(pattern: CompiledPattern, before: PatternState, now: number, matches: Match[]): PatternState {
  const { graceMs, logic } = pattern
  let state = before
  for (;;) {
    const messageAt = state.pending?.[0]?.at ?? Number.POSITIVE_INFINITY
    const deadline = logic.deadline(state)
    // An absence ends just before messages of the time at which it is over.
    if (deadline <= messageAt && deadline + graceMs <= now) state = expire(pattern, state, deadline, matches)
    else if (messageAt + graceMs < now) state = takeOldest(pattern, state, matches)
    else return state
  }
}

/** Returns the earliest time at which `settle` changes the state; infinity: never. */
export function dueOf({ graceMs, logic }: CompiledPattern, state: PatternState): number {
  const messageAt = state.pending?.[0]?.at ?? Number.POSITIVE_INFINITY
  return Math.min(messageAt + graceMs + 1, logic.deadline(state) + graceMs)
}

/** Takes the oldest message that waits, and ends the absences that are over by then. */
function takeOldest(pattern: CompiledPattern, before: PatternState, matches: Match[]): PatternState {
  const [fact, ...pending] = before.pending!
  let state = stateWith(before, { pending })
  for (;;) {
    const deadline = pattern.logic.deadline(state)
    if (deadline > fact!.at) return take(pattern, state, fact!, matches)
    state = expire(pattern, state, deadline, matches)
  }
}

function take(pattern: CompiledPattern, before: PatternState, fact: PatternFact, matches: Match[]): PatternState {
  const after = pattern.needsSettled ? undefined : pattern.logic.glance?.(before, fact)
  return after ?? change(pattern, before, fact.at, matches, tell => pattern.logic.take(before, fact, tell))
}

function expire(pattern: CompiledPattern, before: PatternState, at: number, matches: Match[]): PatternState {
  return change(pattern, before, at, matches, tell => pattern.logic.expire(before, tell))
}

/** Changes a state, and reports what it tells unless the pattern is quiet. */
function change(
  pattern: CompiledPattern,
  before: PatternState,
  at: number,
  matches: Match[],
  run: (tell: Tell) => PatternState,
): PatternState {
  const { quiet: quietBefore = [] } = before
  let quiet = quietBefore
  const after = run(report => {
    if (pattern.quietMs > 0 && !report.retracted) {
      const latest = quiet.find(([key]) => key === report.key)
      if (latest && report.at - latest[1] < pattern.quietMs) return false
      quiet = [
        ...quiet.filter(([key, since]) => key !== report.key && at - since < pattern.quietMs),
        [report.key, report.at],
      ]
    }
    matches.push(matchOf(pattern, report))
    return true
  })
  const state = quiet === quietBefore ? after : stateWith(after, { quiet: quiet.slice(-MAX_QUIET) })
  if (!pattern.needsSettled || (state.settled !== undefined && state.settled >= at)) return state
  const settled = state === before ? { ...state } : state
  settled.settled = at
  return settled
}

function matchOf({ name, isKeyed }: CompiledPattern, { key, ...report }: PatternReport): Match {
  return { pattern: name, id: isKeyed ? joined([report.messageId, key]) : report.messageId, ...report }
}

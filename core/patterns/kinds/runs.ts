import type { PatternFact, PatternHit, PatternRefuter, PatternRun } from '@slotstream/protocol'
import { MAX_RUNS } from '../bounds.js'

/** Part of a sequence: a message, or a time in which none of some messages comes. */
export interface Element {
  /** Milliseconds that must pass; undefined: a message ends it. */
  waitMs?: number
  /** True if there are messages that must not come between the element before and this one. */
  isGuarded: boolean
}

/** The element that a step of the pattern is, or guards: messages that must not come before it. */
export interface Role {
  place: number
  isGuard: boolean
}

/** Steps of a sequence as its runs see them. */
export interface Sequence {
  elements: readonly Element[]
  /** Roles by step. */
  roles: readonly Role[]
  /** Milliseconds that the last message is less than after the first. */
  withinMs: number
}

/**
 * Returns the time when an element of a run is over: when it was done, or its wait ends. Infinity: it waits for a
 * message.
 */
export function endOf({ elements }: Sequence, { times }: PatternRun, place: number): number {
  if (place < times.length) return times[place]!
  const { waitMs } = elements[place]!
  return waitMs === undefined ? Number.POSITIVE_INFINITY : times[place - 1]! + waitMs
}

/** Returns the run that a message begins or takes a step further, with the times of all steps that are done. */
export function runOf({ id, session, isTold }: PatternFact, key: string, times: number[]): PatternRun {
  const run: PatternRun = { key, times, id, session }
  if (isTold) run.isTold = true
  return run
}

/** Returns the time when the wait of a run ends; infinity where it waits for a message. */
export function deadlineOf(sequence: Sequence, run: PatternRun): number {
  return endOf(sequence, run, run.times.length)
}

/** Returns whether a message that a run's element excludes came while the element was waited for. */
export function refutes(sequence: Sequence, hit: PatternHit, at: number, run: PatternRun, place: number): boolean {
  const role = sequence.roles[hit[0]]!
  if (!role.isGuard || role.place !== place || !fits(hit, run.key)) return false
  return at >= run.times[place - 1]! && at < endOf(sequence, run, place)
}

/** Returns whether a message that arrived before a run began refutes it, or begins its absence anew. */
export function refutesLate(sequence: Sequence, { step, at, key }: PatternRefuter, run: PatternRun): boolean {
  const place = run.times.length
  // At the same time it was before the message, as it arrived before.
  if (at <= run.times[place - 1]! || at >= endOf(sequence, run, place)) return false
  const role = sequence.roles[step]!
  const isOf = role.isGuard ? role.place === place : role.place === 0 && place === 1 && isAbsenceOfFirst(sequence)
  return isOf && (key === undefined || key === run.key)
}

/** Returns whether an absence follows the first message: another one of these begins it anew. */
export function isAbsenceOfFirst({ elements }: Sequence): boolean {
  return elements[1]?.waitMs !== undefined
}

/** Returns whether a message is of a run: steps without key are of any. */
export function fits(hit: PatternHit, key: string): boolean {
  return hit.length === 1 || hit.indexOf(key, 1) > 0
}

/** Returns whether the messages that a run still needs would come too late. */
export function isOver({ elements, withinMs }: Sequence, { times }: PatternRun, now: number): boolean {
  if (now - times[0]! < withinMs) return false
  for (let place = times.length; place < elements.length; place++)
    if (elements[place]!.waitMs === undefined) return true
  return false
}

/**
 * Returns whether another run took the last step that both have taken while this one waited for what comes after it.
 */
export function isBegunAnew(sequence: Sequence, run: PatternRun, other: PatternRun): boolean {
  const place = Math.min(run.times.length, other.times.length)
  const at = other.times[place - 1]!
  return run.key === other.key && at >= run.times[place - 1]! && at < endOf(sequence, run, place)
}

/** Returns whether another run takes the place of this one: it came as far, and later. */
export function isReplaced(sequence: Sequence, run: PatternRun, other: PatternRun): boolean {
  return run.times.length === other.times.length && isBegunAnew(sequence, run, other)
}

/** Drops the runs whose latest messages are oldest, as far as there are too many. */
export function bounded(runs: PatternRun[]): PatternRun[] {
  let remaining = runs
  while (remaining.length > MAX_RUNS) {
    const oldest = remaining.reduce((a, b) => (b.times.at(-1)! < a.times.at(-1)! ? b : a))
    remaining = remaining.filter(run => run !== oldest)
  }
  return remaining
}

import type { PatternHit, PatternRefuter, PatternRun } from '@slotstream/protocol'
import { MAX_RUNS } from '../bounds.js'

/** Part of a sequence: a message, or a time in which none of some messages comes. */
export interface Element {
  /** Milliseconds that must pass; undefined: a message ends it. */
  waitMs?: number
  /** Whether there are messages that must not come between the element before and this one. */
  isGuarded: boolean
}

/** Which element a step of the pattern is, or guards: messages that must not come before it. */
export interface Role {
  place: number
  isGuard: boolean
}

/** Steps of a sequence as its runs see them. */
export interface Sequence {
  elements: readonly Element[]
  /** By step. */
  roles: readonly Role[]
  /** Milliseconds that the last message is less than after the first. */
  withinMs: number
}

/** When an element of a run is over: when it was done, or its wait ends. Infinite: a message is waited for. */
export function endOf({ elements }: Sequence, { times }: PatternRun, place: number): number {
  if (place < times.length) return times[place]!
  const { waitMs } = elements[place]!
  return waitMs === undefined ? Number.POSITIVE_INFINITY : times[place - 1]! + waitMs
}

/** When the wait of a run ends; infinite where it waits for a message. */
export function deadlineOf(sequence: Sequence, run: PatternRun): number {
  return endOf(sequence, run, run.times.length)
}

/** Whether a message that a run's element must not see came while it was waited for. */
export function refutes(sequence: Sequence, hit: PatternHit, at: number, run: PatternRun, place: number): boolean {
  const role = sequence.roles[hit[0]]!
  if (!role.isGuard || role.place !== place || !fits(hit, run.key)) return false
  return at >= run.times[place - 1]! && at < endOf(sequence, run, place)
}

/** Whether a message that came before a run that begins late refutes it. */
export function refutesLate(sequence: Sequence, { step, at, key }: PatternRefuter, run: PatternRun): boolean {
  const place = run.times.length
  // At the same time it was before the message, as it arrived before.
  return at > run.times[place - 1]! && refutes(sequence, key === undefined ? [step] : [step, key], at, run, place)
}

/** Whether a message is of a run: steps without key are of any. */
export function fits(hit: PatternHit, key: string): boolean {
  return hit.length === 1 || hit.indexOf(key, 1) > 0
}

/** Whether the messages that a run still needs would come too late. */
export function isOver({ elements, withinMs }: Sequence, { times }: PatternRun, now: number): boolean {
  if (now - times[0]! < withinMs) return false
  for (let place = times.length; place < elements.length; place++)
    if (elements[place]!.waitMs === undefined) return true
  return false
}

/** Adds a run in place of the one of the same key that has come as far, unless that one's latest message is later. */
export function merged(runs: readonly PatternRun[], run: PatternRun): PatternRun[] {
  const length = run.times.length
  const same = runs.find(other => other.times.length === length && other.key === run.key)
  if (!same) return [...runs, run]
  if (same.times[length - 1]! > run.times[length - 1]!) return runs.slice()
  return [...runs.filter(other => other !== same), run]
}

/** Drops the runs whose latest messages are oldest, as far as there are too many. */
export function bounded(runs: PatternRun[]): PatternRun[] {
  let kept = runs
  while (kept.length > MAX_RUNS) {
    const oldest = kept.reduce((one, other) => (other.times.at(-1)! < one.times.at(-1)! ? other : one))
    kept = kept.filter(run => run !== oldest)
  }
  return kept
}

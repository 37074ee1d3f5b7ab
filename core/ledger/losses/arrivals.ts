import { hash32, type KeptDecision, type Profile, type StoredMessage } from '@slotstream/protocol'
import { shareMissing, stratumOf } from '../../learning/sums/loss-strata.js'
import { sessionIdOf } from '../../profile/sessions.js'
import { dayOf, SKEW_MS } from '../times.js'

/** Messages of a browser that arrived, by day and run of numbers: see `Profile`. */
export type Arrivals = NonNullable<Profile['arrivals']>

/** Runs of numbers that a profile counts, of each day for itself, at most: the oldest leave first. */
export const MAX_RUNS = 64

/** How often an outcome is told again for its stratum alone, at most. */
export const MAX_RETELLS = 8

/** Arrivals of a visitor while messages are taken. */
export interface ArrivalCount {
  /**
   * Takes a message of time `at`, in milliseconds since the epoch, which counts as received where it is later. From
   * before the oldest decision it does not count: the order of such messages and the decision would matter.
   */
  note(message: StoredMessage, at: number, oldest: Pick<KeptDecision, 'at'>): void
  /** Returns all, in order; without what is of use no more to these decisions. */
  all(decisions: readonly KeptDecision[]): Arrivals
}

/**
 * Begins to count where an earlier message ended. Numbers are compared within a session: the counter of the browser is
 * kept with it, so each origin has both, and who clears one clears the other.
 */
export function countArrivals(before: Arrivals, receivedAt: number): ArrivalCount {
  const runs = new Map(before.map(entry => [keyOf(entry[0], entry[1]), entry]))
  let isChanged = false
  return {
    note(message, at, oldest) {
      const seq = message.context?.seq
      const sessionId = sessionIdOf(message)
      if (typeof seq !== 'number' || !Number.isSafeInteger(seq) || seq < 1 || Number.isNaN(at + receivedAt)) return
      if (sessionId === undefined) return
      const time = Math.min(at, receivedAt)
      const [day, run] = [dayOf(time), hash32(sessionId)]
      const entry = runs.get(keyOf(day, run))
      // What lies within counted numbers was counted from before a decision that has left since.
      if (time < oldest.at && !(entry && seq > entry[2])) return
      isChanged = true
      const [, , first, last, arrived] = entry ?? [day, run, seq, seq, 0]
      runs.set(keyOf(day, run), [day, run, Math.min(first, seq), Math.max(last, seq), arrived + 1])
    },
    all(decisions) {
      const oldest = firstDayOf(decisions)
      if (!isChanged && before.every(([day]) => day >= oldest)) return before
      const useful = [...runs.values()].filter(([day]) => day >= oldest)
      return useful.sort(([day, run], [otherDay, other]) => day - otherDay || run - other).slice(-MAX_RUNS)
    },
  }
}

/**
 * Returns the function that tells the stratum of losses of a decision: by the share that is missing of the messages
 * that its browser numbered since the day of the decision. The first and the last of each run are not counted: that
 * they arrived is why they are known. Nor is what lies between two runs, which may be numbers of two counters.
 */
export function strataOf(arrivals: Arrivals): (decision: Pick<KeptDecision, 'at'>) => number {
  const byDay = new Map<number, number>()
  return decision => {
    const day = firstDayOf([decision])
    const stratum = byDay.get(day) ?? stratumOf(shareSince(arrivals, day))
    byDay.set(day, stratum)
    return stratum
  }
}

/** Tells whether something that was earned is in another stratum now, and may be told again. */
export function movesStratum(decisions: readonly KeptDecision[], before: Arrivals, after: Arrivals): boolean {
  if (before === after) return false
  const [stratumBefore, stratumAfter] = [strataOf(before), strataOf(after)]
  return decisions.some(decision => decision.items.some(mayMove) && stratumBefore(decision) !== stratumAfter(decision))
}

function mayMove({ reward = 0, retells = 0 }: KeptDecision['items'][number]): boolean {
  return reward !== 0 && retells < MAX_RETELLS
}

function shareSince(arrivals: Arrivals, since: number): number {
  const runs = new Map<number, readonly [first: number, last: number, arrived: number]>()
  for (const [day, run, first, last, arrived] of arrivals) {
    if (day < since) continue
    const [least, most, count] = runs.get(run) ?? [first, last, 0]
    runs.set(run, [Math.min(least, first), Math.max(most, last), count + arrived])
  }
  let [missing, inner] = [0, 0]
  for (const [first, last, arrived] of runs.values()) {
    missing += Math.max(0, last - first + 1 - arrived)
    inner += Math.max(0, last - first - 1)
  }
  return shareMissing(missing, inner)
}

function keyOf(day: number, run: number): string {
  return `${day} ${run}`
}

/** Returns the day of the oldest decision, after which nothing is known where there is none. */
function firstDayOf([oldest]: readonly Pick<KeptDecision, 'at'>[]): number {
  return oldest ? dayOf(oldest.at - SKEW_MS) : Number.POSITIVE_INFINITY
}

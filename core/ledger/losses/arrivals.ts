import type { KeptDecision, Profile, StoredMessage } from '@slotstream/protocol'
import { stratumOf } from '../../learning/sums/loss-strata.js'
import { dayOf, SKEW_MS } from '../times.js'

/** Messages of a browser that arrived, by day: see `Profile`. */
export type Arrivals = NonNullable<Profile['arrivals']>

/** Arrivals of a visitor while messages are taken. */
export interface ArrivalCount {
  /** Takes a message of time `at`, in milliseconds since the epoch, which counts as received where it is later. */
  note(message: StoredMessage, at: number): void
  /** Returns all, in order; without what is of use no more to these decisions. */
  all(decisions: readonly KeptDecision[]): Arrivals
}

/** Begins to count where an earlier message ended. */
export function countArrivals(before: Arrivals, receivedAt: number): ArrivalCount {
  const days = new Map(before.map(entry => [entry[0], entry]))
  let isChanged = false
  return {
    note({ context }, at) {
      const seq = context?.seq
      if (typeof seq !== 'number' || !Number.isSafeInteger(seq) || seq < 1 || Number.isNaN(at + receivedAt)) return
      isChanged = true
      const day = dayOf(Math.min(at, receivedAt))
      const [, first, last, arrived] = days.get(day) ?? [day, seq, seq, 0]
      days.set(day, [day, Math.min(first, seq), Math.max(last, seq), arrived + 1])
    },
    all(decisions) {
      const oldest = firstDayOf(decisions)
      if (!isChanged && before.every(([day]) => day >= oldest)) return before
      return [...days.values()].filter(([day]) => day >= oldest).sort(([a], [b]) => a - b)
    },
  }
}

/** Whether a number below the highest one never came. */
export function isLossy(arrivals: Arrivals): boolean {
  return missingOf(arrivals).missing > 0
}

/**
 * Returns the stratum of losses of a decision: by the share that is missing of the messages that its browser numbered
 * since the day of the decision. Of these the first and the last are not counted: that they arrived is why they are
 * known.
 */
export function stratumSince(arrivals: Arrivals, { at }: Pick<KeptDecision, 'at'>): number {
  const { missing, numbered } = missingOf(arrivals.filter(([day]) => day >= firstDayOf([{ at }])))
  return missing > 0 ? stratumOf(missing / (numbered - 2)) : 0
}

function missingOf(arrivals: Arrivals): { missing: number; numbered: number } {
  if (arrivals.length === 0) return { missing: 0, numbered: 0 }
  const numbered = Math.max(...arrivals.map(entry => entry[2])) - Math.min(...arrivals.map(entry => entry[1])) + 1
  return { missing: numbered - arrivals.reduce((sum, entry) => sum + entry[3], 0), numbered }
}

/** Returns the day of the oldest decision, after which nothing is known where there is none. */
function firstDayOf([oldest]: readonly Pick<KeptDecision, 'at'>[]): number {
  return oldest ? dayOf(oldest.at - SKEW_MS) : Number.POSITIVE_INFINITY
}

import type { KeptDecision, Profile } from '@slotstream/protocol'
import { compareTexts } from '../../compare-texts.js'
import { dayOf } from '../times.js'

/**
 * Outcomes that a visitor teaches the policies of a slot in one day of UTC at most: one browser must not outweigh what
 * thousands have taught.
 */
export const MAX_TAUGHT = 20

/** Outcomes that a visitor has taught, by slot and day of its decisions. */
export type Taught = NonNullable<Profile['taught']>

/** Outcomes of a visitor while they are told. */
export interface TaughtCount {
  /** Returns whether one more outcome of a decision's slot and day may be published, and counts it. */
  take(decision: Pick<KeptDecision, 'slotId' | 'at'>): boolean
  /** Returns all that were told, in order. */
  all(): Taught
}

/** Begins to count where an earlier message ended. */
export function countTaught(before: Taught): TaughtCount {
  const counts = new Map(before.map(entry => [keyOf(entry[0], entry[1]), entry]))
  return {
    take({ slotId, at }) {
      const day = dayOf(at)
      const key = keyOf(slotId, day)
      const count = counts.get(key)?.[2] ?? 0
      if (count >= MAX_TAUGHT) return false
      counts.set(key, [slotId, day, count + 1])
      return true
    },
    all: () => [...counts.values()].sort((a, b) => a[1] - b[1] || compareTexts(a[0], b[0])),
  }
}

/** Returns counts without those that are no longer of use: of days before yesterday of which no decision is kept. */
export function withoutOldCounts(taught: Taught, decisions: readonly KeptDecision[], now: number): Taught {
  const yesterday = dayOf(now) - 1
  if (taught.every(([, day]) => day >= yesterday)) return taught
  const slotDays = new Set(decisions.map(({ slotId, at }) => keyOf(slotId, dayOf(at))))
  return taught.filter(([slotId, day]) => day >= yesterday || slotDays.has(keyOf(slotId, day)))
}

function keyOf(slotId: string, day: number): string {
  return `${day} ${slotId}`
}

import type { Epoch } from '../epochs/epochs.js'
import { REWARD_SCALE } from '../sums/fixed-point.js'

/** Rewards from which on something is said of what is typical. */
const LEAST_REWARDS = 20

/**
 * Returns what an outcome that earned something has typically earned, in rewards; undefined: too few have.
 *
 * Sums of squares by sums of rewards say so of each epoch, content and position, and the median of these is taken:
 * outcomes that are far from all others change what few of them say (median of means, Nemirovsky and Yudin 1983). One
 * says as much as it has rewards, (Σr)² / Σr²: a single huge reward makes its own count for one. It follows from sums
 * alone, so what is taken away leaves no trace.
 */
export function typicalOutcome(epochs: readonly Epoch[]): number | undefined {
  const parts: { typical: number; rewards: number }[] = []
  for (const { sums } of epochs)
    for (const { positions } of sums.contents.values())
      for (const [, earned, wide] of positions.values()) {
        const squares = Number(wide)
        if (earned > 0 && squares > 0)
          parts.push({ typical: squares / earned, rewards: (earned / squares) * (earned / REWARD_SCALE) })
      }
  const half = parts.reduce((sum, { rewards }) => sum + rewards, 0) / 2
  if (2 * half < LEAST_REWARDS) return undefined
  parts.sort((a, b) => a.typical - b.typical)
  let below = 0
  for (const { typical, rewards } of parts) {
    below += rewards
    if (below >= half) return typical
  }
  return undefined
}

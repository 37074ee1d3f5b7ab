import type { Epoch } from '../epochs/epochs.js'
import { REWARD_SCALE } from '../sums/fixed-point.js'

/** Rewards below which there is no typical one. */
const LEAST_REWARDS = 20

/**
 * Returns the typical reward of an outcome that earned something; undefined: too few have.
 *
 * For each epoch, content and position, Σr² / Σr estimates it; the result is their median (median of means, Nemirovsky
 * and Yudin 1983), so that a few extreme outcomes change little. Each estimate is weighted by its effective number of
 * rewards, (Σr)² / Σr², by which a single huge reward counts as one. Uses sums only, so that removed outcomes leave no
 * trace.
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

import type { FeatureCell, FeatureSlots, FeatureState } from '@slotstream/protocol'

/** The content of a feature that has counted nothing yet. Its entry says only from where it counts. */
export const NOTHING: [] = []

/** Returns what an entry holds; undefined: nothing. */
export function heldOf(state: FeatureState | undefined): FeatureCell | FeatureSlots | undefined {
  const cellOrSlots = state?.[1]
  return Array.isArray(cellOrSlots) && cellOrSlots.length === 0 ? undefined : cellOrSlots
}

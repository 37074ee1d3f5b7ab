import type { FeatureCell, FeatureCells, FeatureRow, FeatureSlots } from '@slotstream/protocol'
import type { Feature } from '../feature.js'
import { hasSlots } from '../state/windows.js'
import { narrowingOf, narrowPairs } from './narrow-rows.js'
import { NOTHING_LEFT } from './share-left.js'

/** Returns whether a part of a feature can be kept: of its keys, or of the values of its list. */
export function isDivisible({ readKeys, aggregate }: Feature): boolean {
  return readKeys !== undefined || narrowingOf(aggregate) !== undefined
}

/**
 * Returns what is left of what a feature holds after so many halvings; undefined: nothing. It gives back `state` itself
 * where that is all of it. Narrowing what two states hold, and merging it, is the same as merging and narrowing.
 */
export function narrowHeld(
  state: FeatureCell | FeatureSlots | undefined,
  feature: Feature,
  halvings: number,
): FeatureCell | FeatureSlots | undefined {
  if (state === undefined || halvings >= NOTHING_LEFT) return undefined
  if (halvings === 0 || !isDivisible(feature)) return state
  return hasSlots(feature.window)
    ? narrowSlots(state as FeatureSlots, feature, halvings)
    : narrowCell(state as FeatureCell, feature, halvings)
}

/** Returns what is left of one slot. */
export function narrowCell(cell: FeatureCell, feature: Feature, halvings: number): FeatureCell | undefined {
  if (halvings >= NOTHING_LEFT) return undefined
  const { readKeys, aggregate } = feature
  const left = readKeys
    ? narrowPairs(cell as FeatureCells, halvings)
    : (narrowingOf(aggregate)?.(cell as FeatureRow, halvings) ?? cell)
  return Array.isArray(left) && left.length === 0 ? undefined : left
}

function narrowSlots(slots: FeatureSlots, feature: Feature, halvings: number): FeatureSlots | undefined {
  const left: FeatureSlots = []
  let isAll = true
  for (let place = 0; place < slots.length; place += 2) {
    const cell = slots[place + 1] as FeatureCell
    const leftOfCell = narrowCell(cell, feature, halvings)
    isAll &&= leftOfCell === cell
    if (leftOfCell !== undefined) left.push(slots[place]!, leftOfCell)
  }
  if (isAll) return slots
  return left.length === 0 ? undefined : left
}

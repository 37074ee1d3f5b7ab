import type { FeatureCell, FeatureCells, FeatureRow, FeatureSlots, FeatureState } from '@slotstream/protocol'
import type { Feature } from '../feature.js'
import { heldOf } from './nothing.js'
import { boundKeys, mergePairs } from './pairs.js'
import { dropBefore, firstSlotBeside, hasSlots } from './windows.js'

/** Merges what two states hold of one slot. Neither is changed. */
export function mergeCells(a: FeatureCell, b: FeatureCell, { aggregate, readKeys, keys }: Feature): FeatureCell {
  if (!readKeys) return aggregate.merge(a as FeatureRow, b as FeatureRow)
  const mergeRows = (x: FeatureRow, y: FeatureRow) => aggregate.merge(x, y)
  const merged = mergePairs(a as FeatureCells, b as FeatureCells, mergeRows) as FeatureCells
  boundKeys(merged, keys)
  return merged
}

/** Merges two states of one feature. Of the two positions the later one holds for both. Neither is changed. */
export function mergeFeature(a: FeatureState, b: FeatureState, feature: Feature): FeatureState {
  const since = Math.max(a[0], b[0])
  if (heldOf(a) === undefined || heldOf(b) === undefined) return [since, heldOf(a) ?? b[1]]
  if (!hasSlots(feature.window)) return [since, mergeCells(a[1], b[1], feature)]
  const slots = mergePairs<FeatureCell>(a[1] as FeatureSlots, b[1] as FeatureSlots, (x, y) => mergeCells(x, y, feature))
  if (slots.length > 0) dropBefore(slots, firstSlotBeside(feature.window, slots.at(-2) as number))
  return [since, slots as FeatureSlots]
}

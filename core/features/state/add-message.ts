import type { FeatureCell, FeatureCells, FeatureRow, FeatureSlots, StoredMessage } from '@slotstream/protocol'
import type { Sample } from '../aggregates/aggregate.js'
import type { Feature } from '../feature.js'
import { isScalar, keyOfScalar } from '../input/scalar.js'
import { boundKeys, putValue, valueAt } from './pairs.js'
import { dropBefore, firstSlotBeside, hasSlots, slotOf, weightInSlot } from './windows.js'

/**
 * Returns what a feature holds after a message; undefined where the message has nothing that the feature takes, or
 * comes too late for its window. `cellOrSlots` is not changed.
 *
 * @param sample of the message; its value and weight are overwritten
 */
export function addMessage(
  cellOrSlots: FeatureCell | FeatureSlots | undefined,
  feature: Feature,
  weight: number,
  message: StoredMessage,
  sample: Sample,
): FeatureCell | FeatureSlots | undefined {
  const { window } = feature
  if (!hasSlots(window)) return addToCell(cellOrSlots as FeatureCell | undefined, feature, weight, message, sample)
  const slots = (cellOrSlots as FeatureSlots | undefined) ?? NO_SLOTS
  const slot = slotOf(window, sample.at)
  const last = slots.length > 0 ? (slots[slots.length - 2] as number) : slot
  if (slot < firstSlotBeside(window, last)) return undefined
  const weightNow = window.kind === 'decay' ? weight * weightInSlot(window, sample.at) : weight
  const cell = addToCell(valueAt<FeatureCell>(slots, slot), feature, weightNow, message, sample)
  if (cell === undefined) return undefined
  const next = slots.slice()
  putValue(next, slot, cell)
  dropBefore(next, firstSlotBeside(window, Math.max(slot, last)))
  return next
}

const NO_SLOTS: FeatureSlots = []

/** Returns a cell with a message; undefined where nothing changes. */
export function addToCell(
  cell: FeatureCell | undefined,
  feature: Feature,
  weight: number,
  message: StoredMessage,
  sample: Sample,
): FeatureCell | undefined {
  sample.weight = weight
  const value = feature.readValue ? feature.readValue(message) : 1
  if (!Array.isArray(value)) return addValue(cell, feature, value, message, sample)
  let next = cell
  for (const each of value) next = addValue(next, feature, each, message, sample) ?? next
  return next === cell ? undefined : next
}

function addValue(
  cell: FeatureCell | undefined,
  feature: Feature,
  value: unknown,
  message: StoredMessage,
  sample: Sample,
): FeatureCell | undefined {
  if (!isScalar(value)) return undefined
  // Not -0, which is stored as 0.
  sample.value = value === 0 ? 0 : value
  const { aggregate, readKeys, keys } = feature
  if (!readKeys) {
    const row = aggregate.add(cell as FeatureRow | undefined, sample)
    return row === cell ? undefined : row
  }
  const keyRead = readKeys(message)
  const cells = cell as FeatureCells | undefined
  let next: FeatureCells | undefined
  for (const key of Array.isArray(keyRead) ? new Set(keyRead.map(keyOf)) : [keyOf(keyRead)]) {
    if (key === undefined) continue
    const row = cells && valueAt<FeatureRow>(cells, key)
    const added = aggregate.add(row, sample)
    if (added === undefined || added === row) continue
    next ??= cells ? cells.slice() : []
    putValue(next, key, added)
  }
  if (next) boundKeys(next, keys)
  return next
}

/** Returns a value as the name of a key; undefined where it is none. */
function keyOf(value: unknown): string | undefined {
  if (typeof value === 'string') return isScalar(value) ? value : undefined
  return isScalar(value) ? keyOfScalar(value) : undefined
}

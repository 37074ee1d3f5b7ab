import type { FeatureCell, FeatureCells, FeatureRow, FeatureSlots, StoredMessage } from '@slotstream/protocol'
import type { Aggregate, Sample } from '../aggregates/aggregate.js'
import type { Feature } from '../feature.js'
import type { Entry } from '../input/read-entries.js'
import { isScalar, keyOfScalar } from '../input/scalar.js'
import { boundKeys, leastKeys, putValue, valueAt } from './pairs.js'
import { dropBefore, firstSlotBeside, hasSlots, slotOf, weightInSlot } from './windows.js'

/** Returns what a feature reads from a message as its value. */
export function valueIn(message: StoredMessage, { readValue }: Feature): unknown {
  return readValue ? readValue(message) : 1
}

/** Returns whether a message has nothing for a feature: most features find no value in most messages. */
export function isNothing(value: unknown, { readKeys }: Feature): boolean {
  return value === undefined && readKeys === undefined
}

/**
 * Returns what a feature holds after a message; undefined where the message has nothing that the feature takes, or
 * comes too late for its window. `cellOrSlots` is not changed.
 *
 * @param value see `valueIn`
 * @param sample of the message; its value and weight are overwritten
 */
export function addMessage(
  cellOrSlots: FeatureCell | FeatureSlots | undefined,
  feature: Feature,
  weight: number,
  value: unknown,
  message: StoredMessage,
  sample: Sample,
): FeatureCell | FeatureSlots | undefined {
  const { window } = feature
  if (!hasSlots(window))
    return addToCell(cellOrSlots as FeatureCell | undefined, feature, weight, value, message, sample)
  const slots = (cellOrSlots as FeatureSlots | undefined) ?? NO_SLOTS
  const slot = slotOf(window, sample.at)
  const last = slots.length > 0 ? (slots[slots.length - 2] as number) : slot
  if (slot < firstSlotBeside(window, last)) return undefined
  const weightNow = window.kind === 'decay' ? weight * weightInSlot(window, sample.at) : weight
  const cell = addToCell(valueAt<FeatureCell>(slots, slot), feature, weightNow, value, message, sample)
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
  value: unknown,
  message: StoredMessage,
  sample: Sample,
): FeatureCell | undefined {
  sample.weight = weight
  const { readKeys, keys } = feature
  const entries = feature.readEntries?.(message)
  if (entries) return addEntries(cell as FeatureCells | undefined, feature, entries, sample)
  if (!readKeys) return addToRow(cell as FeatureRow | undefined, feature, value, sample)
  const keyRead = readKeys(message)
  const cells = cell as FeatureCells | undefined
  if (!Array.isArray(keyRead) && !Array.isArray(value)) return addToKey(cells, feature, keyOf(keyRead), value, sample)
  const all = Array.isArray(keyRead)
    ? leastKeys(keyRead.map(keyOf).filter(isKey), keys)
    : [keyOf(keyRead)].filter(isKey)
  // For each key one more of each value.
  if (all.length > 1) sample.additions += all.length * (Array.isArray(value) ? value.length : 1)
  if (Array.isArray(value)) {
    // The values of a list are added up once instead of for each key: a message may have very many of both.
    const sum = addToRow(undefined, feature, value, sample)
    return sum === undefined ? undefined : mergeRows(cells, feature, new Map(all.map(key => [key, sum])))
  }
  let next: FeatureCells | undefined
  for (const key of all) {
    const added = addToRow(cells && valueAt<FeatureRow>(cells, key), feature, value, sample)
    if (added === undefined) continue
    next ??= cells ? cells.slice() : []
    putValue(next, key, added)
  }
  if (next) boundKeys(next, keys)
  return next
}

/** Returns cells with one value under one key, as nearly every message has it; undefined: nothing changes. */
function addToKey(
  cells: FeatureCells | undefined,
  feature: Feature,
  key: string | undefined,
  value: unknown,
  sample: Sample,
): FeatureCells | undefined {
  const added = key === undefined ? undefined : addToRow(cells && valueAt(cells, key), feature, value, sample)
  if (added === undefined) return undefined
  const next = cells ? cells.slice() : []
  putValue(next, key!, added)
  boundKeys(next, feature.keys)
  return next
}

/** Returns cells with the elements of a list, values under the keys of their element; undefined: nothing changes. */
function addEntries(
  cells: FeatureCells | undefined,
  feature: Feature,
  entries: readonly Entry[],
  sample: Sample,
): FeatureCells | undefined {
  const { aggregate, keys } = feature
  const rows = new Map<string, FeatureRow>()
  for (const entry of entries) {
    const all = leastKeys(entry.keys.map(keyOf).filter(isKey), keys)
    const [first] = all
    if (first === undefined) continue
    const before = all.length === 1 ? rows.get(first) : undefined
    const sum = addToRow(before, feature, entry.values, sample)
    sample.additions += all.length * entry.values.length
    if (sum === undefined) continue
    for (const key of all) {
      const row = all.length === 1 ? undefined : rows.get(key)
      rows.set(key, row === undefined ? sum : aggregate.merge(row, sum))
    }
  }
  return mergeRows(cells, feature, rows)
}

/** Returns cells with rows added to those of their keys; undefined: nothing changes. */
function mergeRows(
  cells: FeatureCells | undefined,
  { aggregate, keys }: Feature,
  rows: ReadonlyMap<string, FeatureRow>,
): FeatureCells | undefined {
  let next: FeatureCells | undefined
  for (const key of leastKeys([...rows.keys()], keys)) {
    const row = cells && valueAt<FeatureRow>(cells, key)
    const added = row === undefined ? rows.get(key)! : aggregate.merge(row, rows.get(key)!)
    if (added === row) continue
    next ??= cells ? cells.slice() : []
    putValue(next, key, added)
  }
  if (next) boundKeys(next, keys)
  return next
}

/** Returns a row with a value, or with those of a list; undefined where nothing changes. */
function addToRow(
  row: FeatureRow | undefined,
  { aggregate }: Feature,
  value: unknown,
  sample: Sample,
): FeatureRow | undefined {
  let next = row
  if (Array.isArray(value)) {
    sample.additions += value.length
    for (const each of value) next = addScalar(next, aggregate, each, sample)
  } else next = addScalar(row, aggregate, value, sample)
  return next === row ? undefined : next
}

/** Returns a row with one value; the row itself where that is none. */
function addScalar(
  row: FeatureRow | undefined,
  aggregate: Aggregate,
  value: unknown,
  sample: Sample,
): FeatureRow | undefined {
  if (!isScalar(value)) return row
  // Not -0, which is stored as 0.
  sample.value = value === 0 ? 0 : value
  return aggregate.add(row, sample)
}

function isKey(key: string | undefined): key is string {
  return key !== undefined
}

/** Returns a value as the name of a key; undefined where it is none. */
function keyOf(value: unknown): string | undefined {
  if (typeof value === 'string') return isScalar(value) ? value : undefined
  return isScalar(value) ? keyOfScalar(value) : undefined
}

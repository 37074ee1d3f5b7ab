import type { Feature, Features } from '../feature.js'
import { amountOf, type ExactSum } from '../input/exact-sum.js'
import { shownPairs } from '../state/pairs.js'
import { firstSlotAt, hasSlots, type Window, weightOfSlot } from '../state/windows.js'
import { CONTENT_CLICK_RATE } from './built-in-content.js'

/** The state of one feature of a content in one slot: slot of time, sum in units, slot, sum … */
export type ContentRow = (number | ExactSum)[]

/** The rows of one content, by version of the feature and slot: see `contentRowKey`. */
export type ContentRows = ReadonlyMap<string, ContentRow>

/** A value of a content: a sum, or sums by key. Null: a share of nothing. */
export type ContentAmount = number | Record<string, number> | null

/** A feature of a content: in all slots together, and in each. */
export interface ContentValue {
  value: ContentAmount
  /** Amounts by slot; '' for messages that name none. */
  slots: Record<string, ContentAmount>
  /** There were more keys than the feature keeps, or as many rows as a content may have. Absent: all counts. */
  approximate?: true
}

/** Rows of one content, at most: features times slots. Later ones are not counted. */
export const MAX_ROWS = 1_000

/** Returns the key of a row. No id holds NUL. */
export function contentRowKey(version: string, slotId: string, key?: string): string {
  return key === undefined ? `${version}\0${slotId}` : `${version}\0${slotId}\0${key}`
}

/** Sums of one feature: by slot, then by key; '' where it has no keys. */
type Amounts = Map<string, Map<string, number>>

/** Returns the values of a content's features at a time, in milliseconds since the epoch, by name. */
export function contentValues(
  rows: ContentRows,
  { ofContent }: Pick<Features, 'ofContent'>,
  at: number,
): Map<string, ContentValue> {
  const windows = new Map([...ofContent.byName.values()].map(({ version, window }) => [version, window]))
  const byVersion = new Map<string, Amounts>()
  for (const [rowKey, row] of rows) {
    const version = rowKey.slice(0, rowKey.indexOf('\0'))
    const window = windows.get(version)
    // Most rows are of features that were not asked for.
    if (!window) continue
    const [, slotId = '', key = ''] = rowKey.split('\0')
    const bySlot: Amounts = byVersion.get(version) ?? new Map()
    const byKey = bySlot.get(slotId) ?? new Map<string, number>()
    byVersion.set(version, bySlot.set(slotId, byKey.set(key, amountAt(row, window, at))))
  }
  const values = new Map<string, ContentValue>()
  for (const [name, feature] of ofContent.byName)
    values.set(name, shaped(byVersion.get(feature.version) ?? new Map(), feature, rows.size >= MAX_ROWS))
  const rate = values.has(CONTENT_CLICK_RATE.name) ? undefined : rateOf(values)
  if (rate) values.set(CONTENT_CLICK_RATE.name, rate)
  return values
}

function shaped(bySlot: Amounts, feature: Feature, isFull: boolean): ContentValue {
  const together = new Map<string, number>()
  for (const byKey of bySlot.values())
    for (const [key, amount] of byKey) together.set(key, (together.get(key) ?? 0) + amount)
  const slots = [...bySlot].sort(([a], [b]) => (a < b ? -1 : 1))
  return {
    value: amountOfKeys(together, feature),
    slots: Object.fromEntries(slots.map(([slotId, byKey]) => [slotId, amountOfKeys(byKey, feature)])),
    ...((isFull || together.size > feature.keys) && { approximate: true }),
  }
}

function amountOfKeys(byKey: ReadonlyMap<string, number>, { readKeys, keys }: Feature): ContentAmount {
  if (!readKeys) return byKey.get('') ?? 0
  const pairs = [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).flat()
  const shown = shownPairs(pairs, keys)
  return Object.fromEntries(Array.from({ length: shown.length / 2 }, (_, at) => shown.slice(2 * at, 2 * at + 2)))
}

function amountAt(row: ContentRow, window: Window, at: number): number {
  const first = hasSlots(window) && window.kind !== 'decay' ? firstSlotAt(window, at) : Number.NEGATIVE_INFINITY
  let amount = 0
  for (let place = 0; place < row.length; place += 2) {
    const slot = row[place] as number
    if (slot < first) continue
    const factor = window.kind === 'decay' ? weightOfSlot(window, slot, at) : 1
    amount += factor * amountOf(row[place + 1]!)
  }
  return amount
}

function rateOf(values: ReadonlyMap<string, ContentValue>): ContentValue | undefined {
  const [clicks, views] = [values.get(CONTENT_CLICK_RATE.clicks), values.get(CONTENT_CLICK_RATE.views)]
  if (!clicks || !views) return undefined
  // A site may have replaced either by one by key, which has no rate.
  const rate = (hits: ContentAmount = 0, chances: ContentAmount = 0) =>
    typeof hits === 'number' && typeof chances === 'number' && chances > 0 ? Math.min(1, hits / chances) : null
  const slotIds = new Set([...Object.keys(views.slots), ...Object.keys(clicks.slots)])
  return {
    value: rate(clicks.value, views.value),
    slots: Object.fromEntries([...slotIds].map(id => [id, rate(clicks.slots[id], views.slots[id])])),
    ...((clicks.approximate || views.approximate) && { approximate: true }),
  }
}

import type { FeatureCell, FeatureCells, FeatureRow, FeatureSlots, FeatureStates, Visit } from '@slotstream/protocol'
import type { Aggregate } from '../aggregates/aggregate.js'
import { AGGREGATE_BY_NAME } from '../aggregates/aggregates.js'
import { MAX_CHANGES } from '../aggregates/cart.js'
import { MAX_COUNTED, MAX_LISTED } from '../aggregates/sets.js'
import type { Feature, Features } from '../feature.js'
import { heldOf } from '../state/nothing.js'
import { isBeyond, valueAt } from '../state/pairs.js'
import { runningSession } from '../state/session-value.js'
import { cellAt } from '../state/values.js'
import { firstSlotAt, hasSlots } from '../state/windows.js'
import { shareLeft } from './share-left.js'

const { unique, mode, topK, cart, distinct } = AGGREGATE_BY_NAME

/**
 * Whether a row had more than it keeps, by aggregate: those that are not here keep all that their value is made of. It
 * follows from what the row holds, so that order and merges do not matter.
 */
const IS_CUT_BY_AGGREGATE: ReadonlyMap<unknown, (row: never) => boolean> = new Map<unknown, (row: never) => boolean>([
  [unique, (row: FeatureRow[]) => isBeyond(row, MAX_LISTED)],
  ...[mode, topK].map(aggregate => [aggregate, (row: FeatureRow[]) => isBeyond(row, MAX_COUNTED)] as const),
  [cart, ([, changes]: [number, FeatureRow[]]) => changes.length > MAX_CHANGES],
  [distinct, (row: number[] | string) => typeof row === 'string'],
])

/**
 * Creates the function that tells whether a feature of a visitor had more keys or values in its window than it keeps,
 * or was narrowed: its value is then made of a part of them, or estimated.
 *
 * @param at milliseconds since the epoch
 */
export function createIsApproximate(
  states: FeatureStates,
  features: Features,
  at: number,
): (feature: Feature) => boolean {
  let session: { running: Visit | undefined } | undefined
  return feature => {
    if (shareLeft(states, feature) !== undefined) return true
    if (!feature.readKeys && !isCutOf(feature.aggregate)) return false
    if (feature.window.kind !== 'session') return isCutInWindow(states, feature, at)
    session ??= { running: runningSession(states, features, at) }
    const { running } = session
    return isCut(running && valueAt<FeatureCell>(running[4], feature.version), feature)
  }
}

/** Tells it of a feature that is not of the session. */
function isCutInWindow(states: FeatureStates, feature: Feature, at: number): boolean {
  if (!hasSlots(feature.window)) return isCut(cellAt(states, feature, at), feature)
  const cells = cellsAt(states, feature, at)
  // What decays has its keys slot by slot.
  if (feature.window.kind === 'decay') return cells.some(cell => isCut(cell, feature))
  // Nearly always: so few keys in all slots together that they need not be merged.
  const isPlain = feature.readKeys && !isCutOf(feature.aggregate)
  const pairs = isPlain ? cells.reduce<number>((sum, cell) => sum + (cell as FeatureCells).length / 2, 0) : undefined
  return pairs !== undefined && pairs <= feature.keys ? false : isCut(cellAt(states, feature, at), feature)
}

function cellsAt(states: FeatureStates, { window, version }: Feature, at: number): FeatureCell[] {
  const slots = (heldOf(states.of[version]) as FeatureSlots | undefined) ?? []
  const first = firstSlotAt(window, at)
  return slots.filter((_, place) => place % 2 === 1 && (slots[place - 1] as number) >= first) as FeatureCell[]
}

function isCut(cell: FeatureCell | undefined, { readKeys, aggregate, keys }: Feature): boolean {
  if (cell === undefined) return false
  const isRowCut = isCutOf(aggregate)
  if (!readKeys) return isRowCut?.(cell as FeatureRow) ?? false
  const cells = cell as FeatureCells
  if (isBeyond(cells, keys)) return true
  return isRowCut ? cells.some((row, place) => place % 2 === 1 && isRowCut(row)) : false
}

function isCutOf(aggregate: Aggregate): ((row: FeatureRow) => boolean) | undefined {
  return IS_CUT_BY_AGGREGATE.get(aggregate) as ((row: FeatureRow) => boolean) | undefined
}

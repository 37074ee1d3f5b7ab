import { addToEpoch, type EpochSums, emptyEpochSums, isEmptyEpoch, mergeEpochSums } from '../sums/epoch-sums.js'
import { mergesExactly, staysExact } from '../sums/exactness.js'
import type { LearningOutcome } from '../sums/outcome.js'
import { closeStratum, isClosed } from '../sums/stratum-sums.js'
import { bytesAround, bytesOfEpoch, bytesOfStratum, hasProducts } from '../sums/sum-bytes.js'
import { BASE_MS, cellOf, endOf, type GridCell, lengthOfLevel, topLevelOf } from './time-grid.js'

/** One epoch of a slot: where it is on the time grid, and its sums. */
export interface Epoch extends GridCell {
  sums: EpochSums
}

/**
 * What a slot has learned, epoch by epoch. Two of them with the same outcomes, as of the same time, are equal, in
 * whichever order these came, were merged, or were taken away again.
 */
export interface Epochs {
  /** As of when, in milliseconds since the epoch. Never goes back. */
  now: number
  /** How far back outcomes count, in milliseconds. */
  horizonMs: number
  cells: Map<string, Epoch>
}

/** Days that are learned from by default: below the retention of decisions, from which models can be made again. */
export const LEARNING_HORIZON_MS = 90 * 24 * 3_600_000

/**
 * Returns what a slot has learned before the first outcome.
 *
 * @throws RangeError for a horizon below four seconds
 */
export function emptyEpochs(now: number, horizonMs: number = LEARNING_HORIZON_MS): Epochs {
  if (!(horizonMs >= 4 * BASE_MS))
    throw new RangeError(`a horizon must be at least ${4 * BASE_MS} ms, not ${horizonMs}`)
  return { now, horizonMs, cells: new Map() }
}

/**
 * Adds an outcome, or takes it away. Outcomes beyond the horizon change nothing.
 *
 * @param sign -1 takes away what was added before
 * @returns by how many bytes the sums have grown, below 0 where they have shrunk
 * @throws RangeError where a sum would not be exact; then nothing has changed
 */
export function addOutcome(epochs: Epochs, outcome: LearningOutcome, sign: 1 | -1 = 1): number {
  const cell = placeOf(outcome.at, epochs)
  if (!cell) return 0
  const { sums } = epochAt(epochs, cell)
  if (!staysExact(sums, outcome, sign)) throw new RangeError('a sum would be beyond what is exact')
  const before = bytesAround(sums, outcome)
  addToEpoch(sums, outcome, sign)
  if (isEmptyEpoch(sums)) epochs.cells.delete(keyOf(cell))
  return bytesAround(sums, outcome) - before
}

/** Returns the memory that all sums take, in bytes. */
export function bytesOfEpochs({ cells }: Epochs): number {
  let bytes = 0
  for (const { sums } of cells.values()) bytes += bytesOfEpoch(sums)
  return bytes
}

/**
 * Whether the epoch of an outcome has all products of its features already. Yes where it is beyond the horizon: none
 * are kept.
 */
export function hasProductsOf(epochs: Epochs, outcome: LearningOutcome): boolean {
  const cell = placeOf(outcome.at, epochs)
  if (!cell || !outcome.features) return true
  const epoch = epochs.cells.get(keyOf(cell))
  return epoch !== undefined && hasProducts(epoch.sums.linear, outcome)
}

/**
 * Whether the epoch of an outcome knows its content already, at whatever position. Yes where it is beyond the horizon.
 */
export function hasContentOf(epochs: Epochs, { at, contentId }: LearningOutcome): boolean {
  const cell = placeOf(at, epochs)
  return !cell || epochs.cells.get(keyOf(cell))?.sums.contents.has(contentId) === true
}

/** Whether the stratum of an outcome is left out of its epoch. */
export function isStratumClosed(epochs: Epochs, { at, stratum = 0 }: LearningOutcome): boolean {
  const cell = placeOf(at, epochs)
  const epoch = cell && epochs.cells.get(keyOf(cell))
  return epoch !== undefined && isClosed(epoch.sums.strata, stratum)
}

/**
 * Leaves the stratum of an outcome out of its epoch, where the outcome has earned something and its stratum does not
 * know its content yet: there is no room for it. Nothing tells later which outcomes had found room, so that all of the
 * stratum has to go.
 *
 * @returns by how many bytes the sums have shrunk
 */
export function closeUnknown(epochs: Epochs, { at, stratum = 0, reward, contentId }: LearningOutcome): number {
  const cell = placeOf(at, epochs)
  const epoch = cell && epochs.cells.get(keyOf(cell))
  if (!epoch || stratum === 0 || reward === 0) return 0
  const { strata } = epoch.sums
  if (strata.get(stratum)?.contents.has(contentId)) return 0
  const bytes = bytesOfStratum(strata, stratum)
  closeStratum(strata, stratum)
  return bytes
}

/**
 * Brings epochs to a later time: merges those that have become old, and drops those beyond the horizon.
 *
 * @returns epochs that were dropped because the sums would no longer have been exact: of huge rewards alone
 */
export function advance(epochs: Epochs, now: number): number {
  if (now <= epochs.now) return 0
  epochs.now = now
  let dropped = 0
  for (const [key, epoch] of [...epochs.cells]) {
    const cell = placeOf(epoch.index * lengthOfLevel(epoch.level), epochs)
    if (cell?.level === epoch.level) continue
    epochs.cells.delete(key)
    if (!cell) continue
    const { sums } = epochAt(epochs, cell)
    if (mergesExactly(sums, epoch.sums)) mergeEpochSums(sums, epoch.sums)
    else dropped++
    if (isEmptyEpoch(sums)) epochs.cells.delete(keyOf(cell))
  }
  return dropped
}

/**
 * Returns the sum of what several partitions have learned of a slot, as of the latest of them, to which all are
 * brought.
 *
 * @throws RangeError where their horizons differ
 */
export function mergeEpochs(all: readonly Epochs[], now: number): Epochs {
  const latest = Math.max(now, ...all.map(epochs => epochs.now))
  const merged = emptyEpochs(latest, all[0]?.horizonMs)
  for (const epochs of all) {
    if (epochs.horizonMs !== merged.horizonMs)
      throw new RangeError(`horizons of ${epochs.horizonMs} and ${merged.horizonMs} ms cannot be merged`)
    advance(epochs, latest)
    for (const epoch of epochs.cells.values()) mergeEpochSums(epochAt(merged, epoch).sums, epoch.sums)
  }
  return merged
}

/** Returns the epochs, the latest first. */
export function latestFirst({ cells }: Epochs): Epoch[] {
  return [...cells.values()].sort((a, b) => endOf(b) - endOf(a))
}

function epochAt({ cells }: Epochs, { level, index }: GridCell): Epoch {
  const key = keyOf({ level, index })
  const existing = cells.get(key)
  if (existing) return existing
  const epoch: Epoch = { level, index, sums: emptyEpochSums() }
  cells.set(key, epoch)
  return epoch
}

/** Returns the cell of a time; undefined: beyond the horizon. Only epochs of the top level are old enough for that. */
function placeOf(at: number, { now, horizonMs }: Epochs): GridCell | undefined {
  const topLevel = topLevelOf(horizonMs)
  const cell = cellOf(at, now, topLevel)
  return cell.level === topLevel && endOf(cell) <= now - horizonMs ? undefined : cell
}

function keyOf({ level, index }: GridCell): string {
  return `${level}:${index}`
}

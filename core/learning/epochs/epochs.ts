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
 * Everything that a slot has learned, as sums by epoch: a period of time, the longer the older it is. Two with the same
 * outcomes as of the same time are equal, in whichever order these came, were merged, or were subtracted again.
 */
export interface Epochs {
  /** Time that ages are relative to, in milliseconds since 1970. Never goes back. */
  now: number
  /** Age beyond which outcomes are dropped, in milliseconds. */
  horizonMs: number
  /** Epochs by `level:index`, see `GridCell`. */
  cells: Map<string, Epoch>
}

/** Default horizon: 90 days, less than the retention of decisions, from which models can be rebuilt. */
export const LEARNING_HORIZON_MS = 90 * 24 * 3_600_000

/**
 * Returns the epochs of a slot without outcomes.
 *
 * @throws RangeError for a horizon below four seconds
 */
export function emptyEpochs(now: number, horizonMs: number = LEARNING_HORIZON_MS): Epochs {
  if (!(horizonMs >= 4 * BASE_MS))
    throw new RangeError(`a horizon must be at least ${4 * BASE_MS} ms, not ${horizonMs}`)
  return { now, horizonMs, cells: new Map() }
}

/**
 * Adds an outcome, or subtracts it. Outcomes beyond the horizon change nothing.
 *
 * @param sign -1: subtracts what was added before
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
 * Tells whether the epoch of an outcome already has sums for all products of its features, so that adding it takes no
 * memory. True beyond the horizon, where nothing is added.
 */
export function hasProductsOf(epochs: Epochs, outcome: LearningOutcome): boolean {
  const cell = placeOf(outcome.at, epochs)
  if (!cell || !outcome.features) return true
  const epoch = epochs.cells.get(keyOf(cell))
  return epoch !== undefined && hasProducts(epoch.sums.linear, outcome)
}

/**
 * Tells whether the epoch of an outcome already has its content, at any position. True beyond the horizon, where
 * nothing is added.
 */
export function hasContentOf(epochs: Epochs, { at, contentId }: LearningOutcome): boolean {
  const cell = placeOf(at, epochs)
  return !cell || epochs.cells.get(keyOf(cell))?.sums.contents.has(contentId) === true
}

/** Tells whether the stratum of an outcome is closed in its epoch, see `Strata`. */
export function isStratumClosed(epochs: Epochs, { at, stratum = 0 }: LearningOutcome): boolean {
  const cell = placeOf(at, epochs)
  const epoch = cell && epochs.cells.get(keyOf(cell))
  return epoch !== undefined && isClosed(epoch.sums.strata, stratum)
}

/**
 * Closes the stratum of an outcome in its epoch if the outcome has earned something and its content is new to the
 * stratum: for use when memory is full. The whole stratum is dropped, because later it would not be known which
 * outcomes it had counted.
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
 * Advances epochs to a later time: merges those that have become older, and drops those beyond the horizon.
 *
 * @returns number of epochs that were dropped because merged sums would not be exact, which only huge rewards cause
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
 * Merges the epochs of a slot from several partitions. All are advanced to the latest time among them.
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

/** Returns the cell of a time; undefined: it is beyond the horizon, which only cells of the top level can be. */
function placeOf(at: number, { now, horizonMs }: Epochs): GridCell | undefined {
  const topLevel = topLevelOf(horizonMs)
  const cell = cellOf(at, now, topLevel)
  return cell.level === topLevel && endOf(cell) <= now - horizonMs ? undefined : cell
}

function keyOf({ level, index }: GridCell): string {
  return `${level}:${index}`
}

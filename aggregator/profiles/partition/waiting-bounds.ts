import type { LoadedPartition } from './load-partition.js'

/** Most profiles and signals that wait to be stored, and messages that wait for a profile, before reading pauses. */
const MAX_UNSTORED = 20_000
const MAX_PENDING = 1_000

/** The same in bytes: a share of what profiles may take, and of messages as they were read. */
const UNSTORED_SHARE = 0.25
const MAX_PENDING_BYTES = 8 * 1024 * 1024

/** Returns whether profiles that wait to be stored take too much of the `maxBytes` that profiles may take in memory. */
export function isUnstoredTooLarge(partitions: readonly LoadedPartition[], maxBytes: number): boolean {
  return total(partitions, ({ cache }) => cache.unstoredBytes) > UNSTORED_SHARE * maxBytes
}

/** Returns whether so many profiles, signals and messages wait that no further message may be read. */
export function isWaitingTooLarge(partitions: readonly LoadedPartition[], maxBytes: number): boolean {
  return (
    isUnstoredTooLarge(partitions, maxBytes) ||
    total(partitions, ({ cache, unpublished }) => cache.unstoredSize + unpublished.size) > MAX_UNSTORED ||
    total(partitions, ({ progress }) => progress.pending) > MAX_PENDING ||
    total(partitions, ({ progress }) => progress.pendingBytes) > MAX_PENDING_BYTES ||
    total(partitions, ({ unpublished }) => unpublished.characters) > MAX_PENDING_BYTES
  )
}

/** Sums a number over partitions. */
export function total<T>(partitions: readonly T[], value: (partition: T) => number): number {
  return partitions.reduce((sum, partition) => sum + value(partition), 0)
}

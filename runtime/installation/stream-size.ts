import { statfs } from 'node:fs/promises'
import type { StreamKind } from '@slotstream/protocol'

const GB = 1_000_000_000

/**
 * Shares of the free disk that the streams of a kind get, all of them together. They are half of it: the other half is
 * for what is kept besides, and nats-server itself promises its streams no more than three quarters.
 */
const SHARES: Record<StreamKind, number> = {
  events: 0.3,
  decisions: 0.1,
  rejected: 0.03,
  signals: 0.03,
  deliveries: 0.02,
  learning: 0.02,
}

/** The most that the streams of a kind get of a large disk, in bytes. */
const MOST: Record<StreamKind, number> = {
  events: 120 * GB,
  decisions: 50 * GB,
  rejected: 15 * GB,
  signals: 15 * GB,
  deliveries: 8 * GB,
  learning: 15 * GB,
}

/** A stream with messages gets so much more than it holds, at least. */
const HEADROOM = 1.5

/** Settings that the size of a stream depends on. Sizes in bytes. */
export interface SizeFacts {
  kind: StreamKind
  /** How many streams share the kind's partitions. */
  streams: number
  /** Free space of the disk that NATS writes to; undefined where it isn't known. */
  free: number | undefined
  /** Bytes that the stream holds. */
  held: number
  /** Its limit, -1 for none; undefined when there is no stream yet. */
  current: number | undefined
}

/**
 * Returns the limit of a stream where the settings name none: the one it has, else its share of the disk's free space,
 * never less than what it holds. -1, for none, where the disk isn't known.
 */
export function defaultStreamBytes({ kind, streams, free, held: storedBytes, current }: SizeFacts): number {
  if (current !== undefined && current > 0) return current
  if (free === undefined) return -1
  const share = Math.min(MOST[kind], free * SHARES[kind]) / streams
  return Math.ceil(Math.max(share, storedBytes * HEADROOM))
}

/**
 * Resolves to the bytes that are free for this process on the disk of a folder; undefined when there is no such folder.
 */
export async function freeBytes(folder: string): Promise<number | undefined> {
  if (folder === '') return undefined
  try {
    const { bavail, bsize } = await statfs(folder)
    return bavail * bsize
  } catch {
    return undefined
  }
}

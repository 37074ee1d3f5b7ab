import type { KV } from '@nats-io/kv'
import { BUCKETS, profilesBucket, type StreamKind, type StreamPart } from '@slotstream/protocol'
import type { Privacy } from './keyed-hash.js'
import { KINDS, type Layout } from './layout.js'

export type Buckets = Record<keyof typeof BUCKETS, KV>

/** A stream that takes nothing any more. */
export interface PastPart extends StreamPart {
  /** It was deleted: what there is of it is in the tables. */
  gone: boolean
}

/** Streams and buckets of an installation in NATS; of the buckets those of `Key`, by default all. */
export interface Installation<Key extends keyof Buckets = keyof Buckets> {
  partitions: number
  /** The streams of each kind that take messages, in the order of their partitions. */
  streams: Record<StreamKind, StreamPart[]>
  /** Those that took them before. */
  past: Record<StreamKind, PastPart[]>
  layout: Layout
  /** Generation of the profiles that `buckets.profiles` holds: the one in use when this process started. */
  generation: number
  buckets: Pick<Buckets, Key>
  /** How people are named where their ids must not be kept. */
  privacy: Privacy
}

/** Returns the buckets' names in NATS, where `generation` of the profiles is in effect. */
export function bucketNames(generation: number): Record<keyof typeof BUCKETS, string> {
  return { ...BUCKETS, profiles: profilesBucket(generation) }
}

/** Does something with each bucket, one after the other. Default: with all buckets */
export async function ofEachBucket<T, Key extends keyof Buckets = keyof Buckets>(
  make: (key: Key) => Promise<T>,
  keys: readonly Key[] = Object.keys(BUCKETS) as Key[],
): Promise<Record<Key, T>> {
  const entries: [string, T][] = []
  for (const key of keys) entries.push([key, await make(key)])
  return Object.fromEntries(entries) as Record<Key, T>
}

/** Does something with each kind of stream, side by side. */
export async function ofEachKind<T>(make: (kind: StreamKind) => Promise<T>): Promise<Record<StreamKind, T>> {
  const entries = await Promise.all(KINDS.map(async kind => [kind, await make(kind)] as const))
  return Object.fromEntries(entries) as Record<StreamKind, T>
}

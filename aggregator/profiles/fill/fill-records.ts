import type { KV } from '@nats-io/kv'
import {
  BUCKETS,
  type FilledRevisions,
  filledEverywhere,
  filledKey,
  parseFilledKey,
  parseFilledRevisions,
  profilesBucket,
} from '@slotstream/protocol'
import { type Log, type Nats, parseEntry, skipEntry, watchBucket } from '@slotstream/runtime'
import { writeFilled } from '../store/filled-records.js'

/** Revisions of sites' features whose history is counted, by generation of the profiles. */
export interface FillRecords {
  /** Returns the revision that counts in a partition; 0: none. */
  of(generation: number, partition: number, siteId: string): number
  /** Returns the revision that counts in all partitions; 0: none. */
  everywhere(generation: number, siteId: string): number
  /** Notes a revision for a partition. One that is not later changes nothing. */
  write(generation: number, partition: number, siteId: string, revision: number): Promise<void>
  stop(): void
}

/**
 * Follows the records, in the bucket `meta`.
 *
 * @param onChange called with each site of which a record changed
 * @returns when the present state is known
 */
export async function watchFillRecords(
  { nats, meta, partitions, log }: { nats: Nats; meta: KV; partitions: number; log: Log },
  onChange: (siteId: string) => void,
): Promise<FillRecords> {
  const records = new Map<string, FilledRevisions>()
  const recordOf = (generation: number, siteId: string) =>
    records.get(filledKey(profilesBucket(generation), siteId)) ?? []

  const watch = await watchBucket(
    nats,
    meta,
    entry => {
      const named = parseFilledKey(entry.key)
      if (!named) return
      if (entry.operation !== 'PUT') return void records.delete(entry.key)
      const parsed = parseEntry(entry, parseFilledRevisions)
      if (!parsed.ok) return skipEntry(log, BUCKETS.meta, { revision: entry.revision }, parsed.reason)
      records.set(entry.key, parsed.value)
      onChange(named.siteId)
    },
    log,
  )

  return {
    of: (generation, partition, siteId) => recordOf(generation, siteId)[partition] ?? 0,
    everywhere: (generation, siteId) => filledEverywhere(recordOf(generation, siteId), partitions),
    write: (generation, partition, siteId, revision) =>
      writeFilled(meta, { generation, siteId, partitions }, filled => {
        filled[partition] = Math.max(filled[partition]!, revision)
      }),
    stop: watch.stop,
  }
}

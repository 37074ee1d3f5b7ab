import { type Check, checkpointKey, isCount, sweptKey } from '@slotstream/protocol'
import { type Installation, type Log, type Nats, parseEntry, skipEntry } from '@slotstream/runtime'
import type { ProfileBucket } from './profile-bucket.js'

/** Stream sequence up to which everything of a partition is in its stored profiles. 0 when there is none. */
export interface Checkpoint {
  seq: number
  revision: number
  /** The scheme of the keys of the partition's profiles: absent where they are older than hashes. */
  keys?: 'hashed'
}

/** The progress of work on a partition's stored profiles, in the bucket `positions`. */
export interface Checkpoints {
  readCheckpoint(partition: number): Promise<Checkpoint>
  /**
   * Resolves to the new revision.
   *
   * @throws StoreConflict
   */
  writeCheckpoint(partition: number, seq: number, revision?: number): Promise<number>
  /** Resolves to the revision up to which a partition's old entries were looked through; 0 before the first time. */
  readSwept(partition: number): Promise<number>
  writeSwept(partition: number, seq: number): Promise<void>
}

/** Creates the checkpoints of a generation: `profiles.<partition>`, later `profiles_1.<partition>` and so on. */
export function createCheckpoints(
  nats: Nats,
  bucket: ProfileBucket,
  { positions }: Pick<Installation['buckets'], 'positions'>,
  log: Log,
): Checkpoints {
  async function readSeq(key: string, partition: number): Promise<Checkpoint> {
    const entry = await positions.get(key)
    const revision = entry?.revision ?? 0
    if (entry?.operation !== 'PUT') return { seq: 0, revision }
    const parsed = parseEntry(entry, parseCheckpoint)
    if (!parsed.ok) skipEntry(log, 'positions', { partition, revision }, parsed.reason)
    return { ...(parsed.ok ? parsed.value : { seq: 0 }), revision }
  }

  return {
    readCheckpoint: partition => readSeq(checkpointKey(bucket.name, partition), partition),
    writeCheckpoint: (partition, seq, revision) =>
      bucket.put('positions', checkpointKey(bucket.name, partition), { seq, keys: 'hashed' }, revision),
    async readSwept(partition) {
      const { seq } = await readSeq(sweptKey(bucket.name, partition), partition)
      const { last_seq } = (await nats.manager.streams.info(bucket.stream)).state
      // A bucket that was recreated counts from 1 again.
      return seq <= last_seq ? seq : 0
    },
    async writeSwept(partition, seq) {
      await bucket.put('positions', sweptKey(bucket.name, partition), { seq }, undefined)
    },
  }
}

function parseCheckpoint(raw: unknown): Check<Omit<Checkpoint, 'revision'>> {
  const { seq, keys } = (raw ?? {}) as { seq?: unknown; keys?: unknown }
  if (!isCount(seq)) return { ok: false, reason: 'seq is not a whole number from 0' }
  return { ok: true, value: { seq, ...(keys === 'hashed' && { keys }) } }
}

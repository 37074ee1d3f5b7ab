import type { KV } from '@nats-io/kv'
import { BUCKETS, LEARNED_KEY, uuidv7 } from '@slotstream/protocol'
import {
  bucketKeys,
  hashOfChunks,
  type Log,
  type Nats,
  parseEntry,
  readChunks,
  removeKeys,
  skipEntry,
} from '@slotstream/runtime'
import { isAtLeast, type Manifest, parseManifest } from './manifest.js'

/** Another process may put another snapshot in place while one is read. */
const READ_ATTEMPTS = 3

/** The snapshot that counts, and the revision to replace it by. */
export interface StoredManifest {
  /** Undefined: there is none, or none that can be read. */
  manifest: Manifest | undefined
  /** 0: there was never one. */
  revision: number
}

/** What comes of an attempt to replace a snapshot. */
export type Written = 'written' | 'another was faster' | 'another is later' | 'another was rebuilt'

/** Snapshots of what was learned, in the bucket `learning`. */
export interface SnapshotStore {
  readManifest(): Promise<StoredManifest>
  /** Reads the chunks of the snapshot that counts; undefined: there is none that is whole. */
  read(): Promise<{ manifest: Manifest; chunks: Uint8Array[] } | undefined>
  /**
   * Puts another snapshot in place: its chunks first, then the manifest that makes it count, by compare-and-set.
   *
   * @param over what it may take the place of: one that is `earlier` and goes back to the same rebuild; one that is
   * later, too, where a stream has lost its end; or whatever is there, which is a rebuild's. Default: `earlier`
   */
  write(
    snapshot: Pick<Manifest, 'at' | 'positions' | 'origin'> & { chunks: Uint8Array[] },
    over?: 'earlier' | 'also later' | 'whatever is there',
  ): Promise<Written>
}

/** Creates the store. */
export function createSnapshotStore(nats: Pick<Nats, 'manager'>, bucket: KV, log: Log): SnapshotStore {
  async function readManifest(): Promise<StoredManifest> {
    const entry = await bucket.get(LEARNED_KEY)
    const revision = entry?.revision ?? 0
    if (entry?.operation !== 'PUT') return { manifest: undefined, revision }
    const parsed = parseEntry(entry, parseManifest)
    if (!parsed.ok) skipEntry(log, BUCKETS.learning, { key: LEARNED_KEY, revision }, parsed.reason)
    return { manifest: parsed.ok ? parsed.value : undefined, revision }
  }

  const remove = (keys: readonly string[]) => removeKeys(nats, bucket, BUCKETS.learning, keys)

  return {
    readManifest,
    async read() {
      let id: string | undefined
      for (let attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
        const { manifest } = await readManifest()
        if (!manifest || manifest.id === id) break
        const chunks = await readChunks(bucket, keysOf(manifest.id, manifest.chunks), manifest.sha256)
        if (chunks) return { manifest, chunks }
        id = manifest.id
      }
      if (id) log.error({ snapshot: id }, 'a snapshot of what was learned is not whole, and is not used')
      return undefined
    },
    async write({ chunks, at, positions, origin }, over = 'earlier') {
      const { manifest: former, revision } = await readManifest()
      if (former && over !== 'whatever is there' && former.origin !== origin) return 'another was rebuilt'
      if (former && over === 'earlier' && !isAtLeast(positions, former.positions)) return 'another is later'
      // Of before the manifest is written: chunks of a process that is about to write another one are newer.
      const old = (await bucketKeys(bucket, '>')).filter(key => key !== LEARNED_KEY)
      const id = uuidv7()
      const keys = keysOf(id, chunks.length)
      for (const [number, chunk] of chunks.entries()) await bucket.put(keys[number]!, chunk)
      const sha256 = hashOfChunks(chunks)
      const named = origin === undefined ? {} : { origin }
      const manifest: Manifest = { version: 1, id, chunks: chunks.length, sha256, at, positions, ...named }
      try {
        await bucket.put(LEARNED_KEY, JSON.stringify(manifest), { previousSeq: revision })
      } catch (error) {
        const { manifest: winner } = await readManifest()
        // The answer alone may have been lost.
        if (winner?.id !== id) {
          await remove(keys)
          if (winner && winner.id !== former?.id) return 'another was faster'
          throw error
        }
      }
      await remove(old)
      return 'written'
    },
  }
}

function keysOf(id: string, chunks: number): string[] {
  return Array.from({ length: chunks }, (_, number) => `chunk.${id}.${number}`)
}

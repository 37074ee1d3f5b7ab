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

/** Attempts to read a snapshot: another process may replace it meanwhile. */
const READ_ATTEMPTS = 3

/** Manifest of the current snapshot, and the revision with which it can be replaced. */
export interface StoredManifest {
  /** Undefined: there is none, or it cannot be read. */
  manifest: Manifest | undefined
  /** 0: there was never a manifest. */
  revision: number
}

/** Outcome of an attempt to replace the snapshot. */
export type Written = 'written' | 'another was faster' | 'another is later' | 'another was rebuilt'

/** Snapshots of what was learned, in the bucket `learning`. */
export interface SnapshotStore {
  /** Reads the manifest of the current snapshot. */
  readManifest(): Promise<StoredManifest>
  /** Reads the chunks of the current snapshot; undefined: there is none, or it is not complete. */
  read(): Promise<{ manifest: Manifest; chunks: Uint8Array[] } | undefined>
  /**
   * Replaces the snapshot: writes the chunks, then the manifest by compare-and-set.
   *
   * @param over snapshots that may be replaced: `earlier` ones of the same rebuild; `also later` ones, if a stream has
   * lost messages; `whatever is there`, for a rebuild. Default: `earlier`
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
      // Listed before the manifest is written, so that chunks that another process is just writing are not removed.
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
        // The manifest may be stored although its acknowledgement was lost.
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

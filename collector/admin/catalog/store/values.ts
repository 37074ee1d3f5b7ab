import { randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import type { KV } from '@nats-io/kv'
import { isCount } from '@slotstream/protocol'
import { inWaves } from './waves.js'

/** Bytes of a piece: NATS takes 1 MB. */
const PIECE_BYTES = 512 * 1024

/** Largest text of a value, in bytes, and most pieces of one. */
const MAX_TEXT_BYTES = 512 * 1024 * 1024
const MAX_PIECES = MAX_TEXT_BYTES / PIECE_BYTES

const [pack, unpack] = [promisify(gzip), promisify(gunzip)]

/** Where a value is. */
export interface ValueRef {
  id: string
  pieces: number
  /** Its size as it is stored. */
  bytes: number
}

/**
 * Texts of any size in the bucket `catalog_history`, packed and in pieces. Each is stored under a name of its own,
 * once.
 */
export interface Values {
  store(siteId: string, text: string): Promise<ValueRef>
  /** Resolves to undefined where it is not there any more, or is not what was stored. */
  read(siteId: string, ref: ValueRef): Promise<string | undefined>
  remove(siteId: string, ref: ValueRef): Promise<void>
}

/** Creates the store over the bucket `catalog_history`. */
export function createValues(bucket: KV): Values {
  const keysOf = (siteId: string, { id, pieces }: ValueRef) =>
    Array.from({ length: pieces }, (_, index) => `${valuesPrefix(siteId)}.${id}.${index}`)

  return {
    async store(siteId, text) {
      const packed = await pack(text)
      const pieces = Math.max(1, Math.ceil(packed.length / PIECE_BYTES))
      const ref: ValueRef = { id: randomUUID(), pieces, bytes: packed.length }
      await inWaves([...keysOf(siteId, ref).entries()], ([index, key]) =>
        bucket.put(key, packed.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES)),
      )
      return ref
    },
    async read(siteId, ref) {
      const entries = await inWaves(keysOf(siteId, ref), key => bucket.get(key))
      const pieces = entries.flatMap(entry => (entry?.operation === 'PUT' ? [entry.value] : []))
      if (pieces.length < ref.pieces) return undefined
      return unpack(Buffer.concat(pieces), { maxOutputLength: MAX_TEXT_BYTES }).then(String, () => undefined)
    },
    async remove(siteId, ref) {
      await inWaves(keysOf(siteId, ref), key => bucket.purge(key))
    },
  }
}

/** Returns what the keys of a site's values begin with. */
export function valuesPrefix(siteId: string): string {
  return `${siteId}.value`
}

/** Tells whether a value is a `ValueRef`. */
export function isValueRef(value: unknown): value is ValueRef {
  const { id, pieces, bytes } = (value ?? {}) as Partial<Record<keyof ValueRef, unknown>>
  return (
    typeof id === 'string' && /^[0-9a-f-]{36}$/.test(id) && isCount(pieces) && pieces <= MAX_PIECES && isCount(bytes)
  )
}

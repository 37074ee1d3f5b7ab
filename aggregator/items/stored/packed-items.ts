import { promisify } from 'node:util'
import { constants, gunzip, gzip } from 'node:zlib'
import { type ItemModel, MAX_MODEL_ITEMS } from '@slotstream/core'
import { isCount, isObject, parseJson } from '@slotstream/protocol'

/** Size of a chunk, in bytes: below what NATS takes as a value. */
const CHUNK_BYTES = 512 * 1_024

/** Most bytes that a matrix unpacks to: its numbers, and the ids of its items in whatever script. */
const MAX_BYTES = 4 * MAX_MODEL_ITEMS ** 2 + 8 * 1_024 ** 2

/** Bytes of a weight. They are kept with about seven digits. */
const WEIGHT_BYTES = 4

const HEAD_BYTES = 4

const [pack, unpack] = [promisify(gzip), promisify(gunzip)]

/** Packs a matrix, and cuts the result into chunks of `CHUNK_BYTES`. */
export async function toChunks({ ids, size, weights, popularity }: ItemModel): Promise<Uint8Array[]> {
  const facts = Buffer.from(JSON.stringify({ ids: [...ids.keys()], popularity: [...popularity] }))
  const head = Buffer.alloc(HEAD_BYTES)
  head.writeUInt32LE(facts.length)
  const numbers = new DataView(new ArrayBuffer(WEIGHT_BYTES * size ** 2))
  for (const [at, weight] of weights.entries()) numbers.setFloat32(WEIGHT_BYTES * at, weight, true)
  const whole = await pack(Buffer.concat([head, facts, Buffer.from(numbers.buffer)]), { level: constants.Z_BEST_SPEED })
  const chunks: Uint8Array[] = []
  for (let at = 0; at < whole.length; at += CHUNK_BYTES)
    chunks.push(Uint8Array.from(whole.subarray(at, at + CHUNK_BYTES)))
  return chunks
}

/**
 * Unpacks a matrix. Undefined for anything that is none: wrong sizes, repeated ids, numbers that are not finite.
 *
 * @param slice lets other work have its turn, see `createSlices`
 */
export async function fromChunks(
  chunks: readonly Uint8Array[],
  slice: () => Promise<void> | undefined,
): Promise<ItemModel | undefined> {
  const whole = await unpack(Buffer.concat(chunks), { maxOutputLength: MAX_BYTES }).catch(() => undefined)
  const facts = whole && factsOf(whole)
  if (!facts) return undefined
  const { ids, popularity, from } = facts
  const size = ids.size
  if (whole.length !== from + WEIGHT_BYTES * size ** 2) return undefined
  const numbers = new DataView(whole.buffer, whole.byteOffset + from)
  const weights = new Float32Array(size ** 2)
  for (let row = 0; row < size; row++) {
    for (let at = row * size; at < (row + 1) * size; at++) {
      const weight = numbers.getFloat32(WEIGHT_BYTES * at, true)
      if (!Number.isFinite(weight)) return undefined
      weights[at] = weight
    }
    await slice()
  }
  return { ids, size, weights, popularity }
}

/** Returns the bytes that a matrix takes in memory, without the texts of its ids. */
export function bytesOf({ size }: Pick<ItemModel, 'size'>): number {
  return WEIGHT_BYTES * size ** 2
}

function factsOf(whole: Buffer) {
  if (whole.length < HEAD_BYTES) return undefined
  const from = HEAD_BYTES + whole.readUInt32LE(0)
  if (from > whole.length) return undefined
  const raw = parseJson(whole.toString('utf8', HEAD_BYTES, from))
  if (!isObject(raw) || !Array.isArray(raw.ids) || !Array.isArray(raw.popularity)) return undefined
  const { ids: names, popularity } = raw
  if (names.length > MAX_MODEL_ITEMS || popularity.length !== names.length || !popularity.every(isCount))
    return undefined
  if (!names.every(name => typeof name === 'string')) return undefined
  const ids = new Map(names.map((name, index): [string, number] => [name, index]))
  return ids.size === names.length ? { ids, popularity: Float64Array.from(popularity), from } : undefined
}

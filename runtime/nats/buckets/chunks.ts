import { createHash } from 'node:crypto'
import type { KV } from '@nats-io/kv'
import { bucketStream } from '@slotstream/protocol'
import { ignoreMissing } from '../connection/jetstream-errors.js'
import type { Nats } from '../connection/nats.js'

/** Returns the hash by which chunks in a row are known to be whole: SHA-256, in hexadecimal. */
export function hashOfChunks(chunks: readonly Uint8Array[]): string {
  const hash = createHash('sha256')
  for (const chunk of chunks) hash.update(chunk)
  return hash.digest('hex')
}

/**
 * Reads chunks.
 *
 * @param sha256 their hash, see `hashOfChunks`
 * @returns undefined where one is missing, or they are not those of the hash
 */
export async function readChunks(
  bucket: Pick<KV, 'get'>,
  keys: readonly string[],
  sha256: string,
): Promise<Uint8Array[] | undefined> {
  const chunks: Uint8Array[] = []
  for (const key of keys) {
    const entry = await bucket.get(key)
    if (entry?.operation !== 'PUT') return undefined
    chunks.push(entry.value)
  }
  return hashOfChunks(chunks) === sha256 ? chunks : undefined
}

/** Removes what keys of a bucket hold by the numbers in its stream, which leaves no marks of what is gone. */
export async function removeKeys(
  { manager }: Pick<Nats, 'manager'>,
  bucket: Pick<KV, 'get'>,
  name: string,
  keys: readonly string[],
): Promise<void> {
  const stream = bucketStream(name)
  for (const key of keys) {
    const entry = await bucket.get(key)
    if (entry) await manager.streams.deleteMessage(stream, entry.revision, false).catch(ignoreMissing)
  }
}

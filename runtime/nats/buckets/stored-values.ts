import type { KV } from '@nats-io/kv'
import type { Check } from '@slotstream/protocol'
import { isJetStreamError } from '../connection/jetstream-errors.js'
import { parseEntry } from './skipped-entries.js'

/** Value of a key of a bucket. */
export interface StoredValue<T> {
  /** Undefined: there is none, or none that can be read, so that the next one may take its place. */
  value: T | undefined
  /** Revision to replace it by; 0: the key never had a value. */
  revision: number
}

/** Reads the value of a key with its revision. */
export async function readValue<T>(
  bucket: Pick<KV, 'get'>,
  key: string,
  parse: (raw: unknown) => Check<T>,
): Promise<StoredValue<T>> {
  const entry = await bucket.get(key)
  const parsed = entry?.operation === 'PUT' ? parseEntry(entry, parse) : undefined
  return { value: parsed?.ok ? parsed.value : undefined, revision: entry?.revision ?? 0 }
}

/**
 * Stores a value as JSON if the key still has the revision `after`. Resolves to the new one; undefined: it has another.
 */
export async function replaceValue(
  bucket: Pick<KV, 'put'>,
  key: string,
  value: unknown,
  after: number,
): Promise<number | undefined> {
  return (await ifUnchanged(() => bucket.put(key, JSON.stringify(value), { previousSeq: after })))?.result
}

/**
 * Changes the value of a key, whichever process changes it at the same time. Resolves to the value that `change`
 * returned last.
 *
 * @param change called again with each value that another process stored first; undefined: the value stays
 */
export async function changeValue<T, Changed extends T | undefined>(
  bucket: Pick<KV, 'get' | 'put'>,
  key: string,
  parse: (raw: unknown) => Check<T>,
  change: (before: T | undefined) => Changed,
): Promise<Changed> {
  for (;;) {
    const { value, revision } = await readValue(bucket, key, parse)
    const after = change(value)
    if (after === undefined || (await replaceValue(bucket, key, after, revision)) !== undefined) return after
  }
}

/** Writes what expects a revision. Resolves to the result; undefined: another process was first. */
export async function ifUnchanged<T>(write: () => Promise<T>): Promise<{ result: T } | undefined> {
  try {
    return { result: await write() }
  } catch (error) {
    if (isJetStreamError(error, 'wrongLastSequence')) return undefined
    throw error
  }
}

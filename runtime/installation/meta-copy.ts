import type { KV } from '@nats-io/kv'
import type { Check } from '@slotstream/protocol'
import { parseEntry, skipEntry } from '../nats/buckets/skipped-entries.js'
import type { Log } from '../process/log.js'
import { ConfigurationError } from '../settings/read.js'

/** A value of the bucket `meta` and the revision to change it by; no value: there never was one. */
export interface MetaValue<T> {
  value: T | undefined
  revision: number
}

/**
 * Reads a value of the bucket `meta` without which nothing can start. One that is lost or can't be read is put back
 * from its copy.
 *
 * @throws ConfigurationError when neither can be used: a guess would tear visitors' histories apart
 */
export async function readMeta<T>(
  meta: KV,
  key: string,
  parse: (raw: unknown) => Check<T>,
  log?: Log,
): Promise<MetaValue<T>> {
  const entry = await meta.get(key)
  const there = entry?.operation === 'PUT'
  const parsed = there ? parseEntry(entry, parse) : undefined
  if (parsed?.ok) return { value: parsed.value, revision: entry!.revision }
  const copy = await meta.get(copyOf(key))
  const parsedCopy = copy?.operation === 'PUT' ? parseEntry(copy, parse) : undefined
  const reason = parsed?.reason ?? 'it is gone'
  if (!parsedCopy && !there) return { value: undefined, revision: entry?.revision ?? 0 }
  if (!parsedCopy?.ok)
    throw new ConfigurationError(
      `the entry "${key}" of the NATS bucket meta cannot be used (${reason}), and has no copy: put back what a backup has`,
    )
  if (log) skipEntry(log, 'meta', { key }, `${reason}: put back from its copy`)
  const revision = await meta.put(key, copy!.string(), { previousSeq: entry?.revision ?? 0 })
  return { value: parsedCopy.value, revision }
}

/** Keeps a copy of a value that `readMeta` finds good. */
export async function keepMetaCopy(meta: KV, key: string): Promise<void> {
  const [entry, copy] = [await meta.get(key), await meta.get(copyOf(key))]
  if (entry?.operation !== 'PUT') return
  const text = entry.string()
  if (copy?.operation !== 'PUT' || copy.string() !== text) await meta.put(copyOf(key), text)
}

function copyOf(key: string): string {
  return `${key}.copy`
}

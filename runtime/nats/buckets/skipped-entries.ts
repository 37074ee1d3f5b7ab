import type { KvEntry } from '@nats-io/kv'
import type { Check } from '@slotstream/protocol'
import type { Log } from '../../process/log.js'

/** Entries that this process skipped, by bucket, since it started. */
const skipped = new Map<string, number>()

/** Entries skipped so far, by bucket: `/metrics` shows them. */
export function skippedEntries(): ReadonlyMap<string, number> {
  return skipped
}

/** Logs and counts an entry of a bucket that can't be used. */
export function skipEntry(log: Log, bucket: string, place: object, reason: string): void {
  skipped.set(bucket, (skipped.get(bucket) ?? 0) + 1)
  log.error({ bucket, ...place, reason }, 'an entry of a bucket cannot be used, skipped it')
}

/** Parses an entry of a bucket: JSON first, then its shape. */
export function parseEntry<T>(entry: Pick<KvEntry, 'json'>, parse: (raw: unknown) => Check<T>): Check<T> {
  let raw: unknown
  try {
    raw = entry.json()
  } catch {
    return { ok: false, reason: 'the entry is not JSON' }
  }
  return parse(raw)
}

/**
 * Returns the value of an entry of a bucket; undefined for one that doesn't fit, which is logged and counted. The
 * entry's key must be no visitor's: it goes into the log.
 */
export function usableValue<T>(
  bucket: string,
  entry: Pick<KvEntry, 'key' | 'json'>,
  parse: (raw: unknown) => Check<T>,
  log: Log,
): T | undefined {
  const parsed = parseEntry(entry, parse)
  if (parsed.ok) return parsed.value
  skipEntry(log, bucket, { key: entry.key }, parsed.reason)
  return undefined
}

import type { KV, KvEntry } from '@nats-io/kv'
import { collectEntries } from './collect-entries.js'

/**
 * Lists the keys of a bucket that a filter matches, deleted ones not among them.
 *
 * @throws when none comes for five seconds: the client would wait for a minute for a server that is gone
 */
export async function bucketKeys(bucket: Pick<KV, 'keys'>, filter: string): Promise<string[]> {
  return collectEntries(await bucket.keys(filter), `the keys ${filter}`)
}

/**
 * Reads the latest entries of the keys that a filter matches, those of deleted keys among them, in one go. Earlier
 * revisions, where the bucket keeps some, are read and left out.
 *
 * @throws when none comes for five seconds
 */
export async function bucketEntries(bucket: Pick<KV, 'history'>, filter: string): Promise<KvEntry[]> {
  const entries = await collectEntries(await bucket.history({ key: filter }), `the entries ${filter}`)
  return [...new Map(entries.map(entry => [entry.key, entry])).values()]
}

/** A revision of a key, without its value. */
export interface Revision {
  revision: number
  /** When it was stored. */
  at: Date
}

/**
 * Lists the revisions of a key that its bucket still has, the oldest first, deletions not among them.
 *
 * @throws when none comes for five seconds
 */
export async function bucketHistory(bucket: Pick<KV, 'history'>, key: string): Promise<Revision[]> {
  // An option that the client's types lack.
  const options = { key, headers_only: true }
  const entries = await collectEntries(await bucket.history(options), `the revisions of ${key}`)
  return entries
    .filter(({ operation }) => operation === 'PUT')
    .map(({ revision, created }) => ({ revision, at: created }))
}

import type { KV } from '@nats-io/kv'
import { noticeSilence } from '../streams/notice-silence.js'

/** Entries that a bucket yields one by one. */
type Entries<T> = AsyncIterable<T> & Pick<Awaited<ReturnType<KV['keys']>>, 'stop'>

/** After so many seconds without an entry, no more of them are waited for. */
const SILENT_S = 5

/**
 * Collects what a server tells of a bucket.
 *
 * @param what it tells, for the error
 * @throws when nothing comes for five seconds: the client would wait for a minute for a server that is gone
 */
export async function collectEntries<T>(entries: Entries<T>, what: string): Promise<T[]> {
  const notice = noticeSilence(
    { everyMs: 1_000, looks: SILENT_S },
    () => true,
    () => entries.stop(new Error(`${what} were not told within ${SILENT_S} s`)),
  )
  try {
    const collected: T[] = []
    for await (const entry of entries) {
      notice.heard()
      collected.push(entry)
    }
    return collected
  } finally {
    notice.stop()
  }
}

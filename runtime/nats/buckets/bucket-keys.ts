import type { KV } from '@nats-io/kv'
import { noticeSilence } from '../streams/notice-silence.js'

/** After so many seconds without a key, no more of them are waited for. */
const SILENT_S = 5

/**
 * Lists the keys of a bucket that a filter matches, deleted ones not among them.
 *
 * @throws when none comes for five seconds: the client would wait for a minute for a server that is gone
 */
export async function bucketKeys(bucket: Pick<KV, 'keys'>, filter: string): Promise<string[]> {
  const keys = await bucket.keys(filter)
  const notice = noticeSilence(
    { everyMs: 1_000, looks: SILENT_S },
    () => true,
    () => keys.stop(new Error(`the keys ${filter} were not told within ${SILENT_S} s`)),
  )
  try {
    const found: string[] = []
    for await (const key of keys) {
      notice.heard()
      found.push(key)
    }
    return found
  } finally {
    notice.stop()
  }
}

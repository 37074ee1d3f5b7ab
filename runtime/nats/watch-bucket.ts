import type { KV, KvWatchEntry } from '@nats-io/kv'
import type { Log } from '../process/log.js'
import type { Nats } from './nats.js'
import { skipEntry } from './skipped-entries.js'

/**
 * Follows a KV bucket: `apply` gets every entry there is, then every change, deletions included. The promise resolves
 * when the present state has been applied. A watch that breaks is begun again; entries may then come twice. An entry
 * that `apply` throws for is skipped, and the later ones are applied all the same.
 */
export async function watchBucket(nats: Nats, bucket: KV, apply: (entry: KvWatchEntry) => void, log: Log) {
  let stopped = false
  let current: Awaited<ReturnType<KV['watch']>> | undefined
  // The server forgets the watch when it dies. Waiting for missed heartbeats would take half a minute.
  const forget = nats.onReconnect(() => current?.stop())
  let caughtUp = () => {}
  const present = new Promise<void>(resolve => {
    caughtUp = resolve
  })
  void (async () => {
    while (!stopped) {
      try {
        const { values, streamInfo } = await bucket.status()
        current = await bucket.watch()
        // Stopped meanwhile: nobody stops this one.
        if (stopped) return current.stop()
        if (values === 0) caughtUp()
        for await (const entry of current) {
          applySafely(entry)
          // By number, too: nats-server 2.9 says for ever that one more is to come when an entry was replaced while it
          // began the watch.
          if (!entry.delta || entry.revision >= streamInfo.state.last_seq) caughtUp()
        }
      } catch (error) {
        if (!stopped) log.warn({ err: error }, 'following a bucket failed, trying again')
      }
      if (!stopped) await new Promise(resolve => setTimeout(resolve, 500))
    }
  })()
  /** Whatever is in a bucket, the entries behind it have to be heard. */
  function applySafely(entry: KvWatchEntry): void {
    try {
      apply(entry)
    } catch (error) {
      skipEntry(log, entry.bucket, { revision: entry.revision }, String(error))
    }
  }

  await present
  return {
    /** Begins the watch again, by another way if there is one. */
    renew() {
      current?.stop()
    },
    stop() {
      stopped = true
      forget()
      current?.stop()
    },
  }
}

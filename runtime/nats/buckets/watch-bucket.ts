import type { KV, KvWatchEntry } from '@nats-io/kv'
import type { Log } from '../../process/log.js'
import { pause } from '../../process/retry.js'
import type { Nats } from '../connection/nats.js'
import { noticeGaps } from './notice-gaps.js'
import { skipEntry } from './skipped-entries.js'

/**
 * How often the leader of the bucket is asked for its newest entry, in milliseconds. By itself the client would notice
 * after a minute that the one server which feeds a watch is gone, and never that it does not follow its leader.
 */
const LOOK_MS = 5_000

/** Pause before a watch that broke is begun again, in milliseconds. */
const AGAIN_MS = 500

/** A bucket that is followed. */
export interface BucketWatch {
  /** Begins the watch again, by another way if there is one. */
  renew(): void
  stop(): void
}

/**
 * Follows a KV bucket: `apply` gets every entry there is, then every change, deletions included. The promise resolves
 * when the present state has been applied. A watch that breaks, or that lacks what the bucket has, is begun again;
 * entries may then come twice. An entry that `apply` throws for is skipped, and the later ones are applied all the
 * same.
 */
export async function watchBucket(
  nats: Nats,
  bucket: KV,
  apply: (entry: KvWatchEntry) => void,
  log: Log,
): Promise<BucketWatch> {
  let stopped = false
  let lost = false
  let current: Awaited<ReturnType<KV['watch']>> | undefined
  const gaps = noticeGaps()
  /** Ends the watch at hand, or the one being begun. */
  const renew = () => {
    lost = true
    current?.stop()
  }
  // A server that is killed forgets the watch.
  const forget = nats.onReconnect(renew)
  let caughtUp = () => {}
  const present = new Promise<void>(resolve => {
    caughtUp = resolve
  })
  void follow()
  const looking = setInterval(() => void look(), LOOK_MS)
  looking.unref()

  async function follow(): Promise<void> {
    while (!stopped) {
      try {
        await followOnce()
      } catch (error) {
        if (!stopped) log.warn({ err: error }, 'following a bucket failed, trying again')
      }
      gaps.ended()
      if (!stopped) await pause(AGAIN_MS)
    }
  }

  async function followOnce(): Promise<void> {
    lost = false
    const { values, streamInfo } = await bucket.status()
    const { last_seq: newest } = streamInfo.state
    current = await bucket.watch()
    // Stopped or lost meanwhile: nothing else would stop this one.
    if (stopped || lost) return current.stop()
    gaps.began(values === 0 ? newest : 0)
    if (values === 0) caughtUp()
    for await (const entry of current) {
      gaps.heard(entry.revision)
      applySafely(entry)
      // By number, too: nats-server 2.9 says for ever that one more is to come when an entry was replaced while it
      // began the watch (https://github.com/nats-io/nats-server/issues/4824 is of this kind).
      if (!entry.delta || entry.revision >= newest) caughtUp()
    }
  }

  async function look(): Promise<void> {
    if (!nats.connected) return gaps.unknown()
    try {
      const { config, state } = (await bucket.status()).streamInfo
      if (stopped || !gaps.isNewestMissing(state.last_seq)) return
      log.info({ stream: config.name, newest: state.last_seq }, 'changes of a bucket do not arrive, watching it again')
      renew()
    } catch {
      gaps.unknown()
    }
  }

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
    renew,
    stop() {
      stopped = true
      clearInterval(looking)
      forget()
      current?.stop()
    },
  }
}

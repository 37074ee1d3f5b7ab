import { BUCKETS, bucketStream, type Check, isObject, keyOfSubject, keySubject } from '@slotstream/protocol'
import {
  isJetStreamError,
  type Log,
  type Nats,
  type Publisher,
  parseEntry,
  readStream,
  skipEntry,
} from '@slotstream/runtime'

/** A note that a visitor has something due, under the key of the visitor's profile. */
export interface StoredTimer {
  key: string
  /** Milliseconds since the epoch. It may be earlier than the profile says, never later. */
  due: number
  revision: number
}

/** The bucket `timers`: which profiles have something due without a message, so that no other has to be read. */
export interface TimerStore {
  /** Reads the notes of a partition. */
  read(partition: number): AsyncIterable<StoredTimer>
  /** Writes a note over whatever there is. Resolves to its revision. */
  write(key: string, due: number): Promise<number>
  /** Removes a note, unless it was written again since. */
  remove(revision: number): Promise<void>
}

/** Creates the view of the bucket. It is the same for all generations of profiles, whose keys are the same. */
export function createTimerStore(nats: Nats, publisher: Pick<Publisher, 'publish'>, log: Log): TimerStore {
  const name = BUCKETS.timers
  const stream = bucketStream(name)
  return {
    async *read(partition) {
      const filter = keySubject(name, `${partition}.>`)
      // Where the partition has no note, a reader would wait for ever.
      const last = (await nats.manager.streams.getMessage(stream, { last_by_subj: filter }))?.seq ?? 0
      if (last === 0) return
      const reader = readStream(nats, stream, { from: 1, filter, log })
      try {
        for await (const message of reader) {
          const { seq: revision } = message
          const parsed = message.headers?.has('KV-Operation') ? undefined : parseEntry(message, parseTimer)
          if (parsed?.ok) yield { key: keyOfSubject(name, message.subject), due: parsed.value, revision }
          else if (parsed) skipEntry(log, name, { revision }, parsed.reason)
          if (revision >= last || message.info.pending === 0) return
        }
      } finally {
        await reader.stop()
      }
    },
    write: async (key, due) => (await publisher.publish(keySubject(name, key), JSON.stringify({ due }))).seq,
    async remove(revision) {
      // By its number in the stream: a note that was written again has another one, and stays.
      await nats.manager.streams.deleteMessage(stream, revision, false).catch(ignoreMissing)
    },
  }
}

function parseTimer(raw: unknown): Check<number> {
  if (!isObject(raw) || typeof raw.due !== 'number' || !Number.isFinite(raw.due))
    return { ok: false, reason: 'due is no time' }
  return { ok: true, value: raw.due }
}

function ignoreMissing(error: unknown): void {
  if (!isJetStreamError(error, 'noMessage')) throw error
}

import { BUCKETS, bucketStream, type Check, isObject, keyOfSubject, keySubject } from '@slotstream/protocol'
import {
  ignoreMissing,
  isMark,
  type Log,
  type Nats,
  type Publisher,
  parseEntry,
  readWhole,
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
      const subject = keySubject(name, `${partition}.>`)
      for await (const message of readWhole(nats, stream, log, { subject })) {
        const { seq: revision } = message
        const parsed = isMark(message.headers) ? undefined : parseEntry(message, parseTimer)
        if (parsed?.ok) yield { key: keyOfSubject(name, message.subject), due: parsed.value, revision }
        else if (parsed) skipEntry(log, name, { revision }, parsed.reason)
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

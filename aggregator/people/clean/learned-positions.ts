import { BUCKETS, bucketStream, isCount, isObject, keySubject, LEARNED_KEY } from '@slotstream/protocol'
import { type Installation, type Nats, pause, streamInfo } from '@slotstream/runtime'

/**
 * Time that the stored models may take to have the latest messages, and the time between two looks, in milliseconds.
 */
const LEARNED_MS = 60_000
const LOOK_MS = 200

/**
 * Waits until what policies have learned is stored with all that the streams of learning records have now. Resolves at
 * once where nothing was ever stored.
 *
 * @throws when that takes too long
 */
export async function untilLearned(nats: Nats, { streams }: Installation, signal: AbortSignal): Promise<void> {
  const until = Date.now() + LEARNED_MS
  for (const { name } of streams.learning) {
    const last = (await streamInfo(nats, name))?.state.last_seq ?? 0
    for (;;) {
      signal.throwIfAborted()
      const through = await learnedThrough(nats, name)
      if (through === undefined || through >= last) break
      if (Date.now() > until)
        throw new Error(
          `what policies have learned is stored up to message ${through} of ${name}, not ${last}: no aggregator with the role decisions stores it`,
        )
      await pause(LOOK_MS)
    }
  }
}

/** Returns the message of a stream up to which everything is stored; undefined: nothing was ever stored. */
async function learnedThrough(nats: Nats, stream: string): Promise<number | undefined> {
  const learned = bucketStream(BUCKETS.learning)
  if (!(await streamInfo(nats, learned))) return undefined
  const subject = keySubject(BUCKETS.learning, LEARNED_KEY)
  const entry = await nats.manager.streams.getMessage(learned, { last_by_subj: subject })
  if (!entry || entry.data.length === 0) return undefined
  const manifest: unknown = entry.json()
  const positions = isObject(manifest) && isObject(manifest.positions) ? manifest.positions : {}
  const through = positions[stream]
  return isCount(through) ? through : 0
}

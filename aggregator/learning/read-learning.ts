import type { JsMsg } from '@nats-io/jetstream'
import { STREAMS } from '@slotstream/protocol'
import {
  type Installation,
  type Log,
  type Nats,
  readStream,
  readWhole,
  type StreamReader,
  streamInfo,
} from '@slotstream/runtime'
import type { ReadMessage } from './thread/messages.js'

/** Messages that are handed over at a time, and read ahead, at most. */
const BATCH = 500

/** Dependencies of reading learning records. */
export interface ReadLearningDeps {
  nats: Nats
  log: Log
  /** Is called with messages; more are read when it has resolved. Rejects if learning cannot continue. */
  take: (messages: ReadMessage[]) => Promise<void>
}

/** A stream of learning records, and the sequence from which it is followed. */
interface Source {
  name: string
  from: number
  /** Stream position of a message less its sequence. */
  base: number
}

/**
 * Reads what the streams of learning records have now. Past streams, which get no more messages, are read first,
 * because a message whose `stored` covers another must not come before it.
 *
 * @param positions for each stream, the sequence up to which everything was learned
 * @returns `live`: where to follow the current streams; `isReset`: a stream has lost messages that were learned from
 */
export async function catchUp(
  { nats, log, take }: ReadLearningDeps,
  { streams, past }: Pick<Installation, 'streams' | 'past'>,
  positions: Readonly<Record<string, number>>,
): Promise<{ live: Source[]; isReset: boolean }> {
  const live: Source[] = []
  let isReset = false
  for (const { name, gone, base } of past.learning) if (!gone) await readNow(name, base, 1)
  for (const { name, base, start } of streams.learning)
    live.push({ name, base, from: await readNow(name, base, start) })
  return { live, isReset }

  /** @param start the first sequence that the stream ever had */
  async function readNow(name: string, base: number, start: number): Promise<number> {
    const info = await streamInfo(nats, name)
    if (!info) return start
    const { first_seq: first, last_seq: last } = info.state
    let through = positions[name] ?? 0
    if (through > last) {
      log.error({ stream: name, through, last }, 'the stream ends before what was learned from: reading all it has')
      through = 0
      isReset = true
    }
    const lost = first - Math.max(through + 1, start)
    if (lost > 0) log.warn({ stream: name, lost }, 'messages left the stream before they were learned from')
    let next = Math.max(through + 1, first)
    const batch: ReadMessage[] = []
    for await (const message of readWhole(nats, name, log, { from: next, buffer: BATCH })) {
      batch.push(messageOf(name, base, message))
      next = message.seq + 1
      if (batch.length >= BATCH) await take(batch.splice(0))
    }
    if (batch.length > 0) await take(batch)
    return next
  }
}

/** Follows streams of learning records until it is stopped, or `take` rejects. */
export function followLearning({ nats, log, take }: ReadLearningDeps, sources: readonly Source[]) {
  const readers = sources.map(({ name, base, from }) => ({
    name,
    base,
    reader: readStream(nats, name, { from, buffer: BATCH, log }),
  }))
  const reading = Promise.all(readers.map(({ name, base, reader }) => follow(name, base, reader, take)))
  const stop = async () => {
    await Promise.all(readers.map(({ reader }) => reader.stop()))
    await reading.catch(() => {})
  }
  return {
    /** Rejects when one stream cannot be followed; all others are stopped then. */
    reading: reading.catch(async error => {
      await stop()
      throw error
    }),
    stop,
  }
}

/** Hands over the messages of a stream. Those that arrive during a call of `take` are handed over together. */
async function follow(name: string, base: number, reader: StreamReader, take: ReadLearningDeps['take']): Promise<void> {
  let waiting: ReadMessage[] = []
  let failure: unknown
  let handing: Promise<void> | undefined
  for await (const message of reader) {
    waiting.push(messageOf(name, base, message))
    handing ??= handOver()
    if (waiting.length >= BATCH) await handing
    if (failure) break
  }
  await handing
  if (failure) throw failure

  async function handOver(): Promise<void> {
    try {
      while (waiting.length > 0) {
        // Lets messages that have already arrived join the batch.
        await Promise.resolve()
        const batch = waiting
        waiting = []
        await take(batch)
      }
    } catch (error) {
      failure = error
      void reader.stop()
    }
    handing = undefined
  }
}

function messageOf(stream: string, base: number, message: JsMsg): ReadMessage {
  const { seq, subject, data, info } = message
  const partition = Number(subject.slice(STREAMS.learning.subject.length + 1))
  const storedAt = Math.floor(info.timestampNanos / 1e6)
  return { stream, seq, position: base + seq, partition, data, storedAt, pending: info.pending }
}

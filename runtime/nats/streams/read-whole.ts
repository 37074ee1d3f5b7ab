import type { JsMsg } from '@nats-io/jetstream'
import type { Log } from '../../process/log.js'
import type { Nats } from '../connection/nats.js'
import { readStream } from './read-stream.js'
import { streamInfo } from './stream-info.js'

/** How long to wait for a message before it is looked up whether there is one, in milliseconds. */
const SILENCE_MS = 1_000

export interface ReadWholeOptions {
  /** Subject, or pattern of subjects, of the messages. Default: all of the stream */
  subject?: string
  /** Sequence to begin with. Default: the stream's first */
  from?: number
  /** Messages read ahead. Default: that of `readStream` */
  buffer?: number
}

/**
 * Reads the messages that a stream has now, once. What is deleted meanwhile, by the reader of these messages, say, is
 * left out. A stream that isn't there has none.
 */
export async function* readWhole(
  nats: Nats,
  stream: string,
  log: Log,
  { subject, from: least = 1, buffer }: ReadWholeOptions = {},
): AsyncGenerator<JsMsg> {
  const range = await rangeOf(nats, stream, subject)
  const first = Math.max(range.first, least)
  const { last } = range
  if (first > last) return
  const reader = readStream(nats, stream, {
    from: first,
    log,
    ...(subject !== undefined && { filter: subject }),
    ...(buffer !== undefined && { buffer }),
  })
  const messages = reader[Symbol.asyncIterator]()
  let next = first
  let reading: Promise<IteratorResult<JsMsg>> | undefined
  let silent = silence()
  try {
    reading = messages.next()
    while (next <= last) {
      const result = await Promise.race([reading, silent])
      if (!result) {
        // The last ones may be gone: then nothing more ever comes.
        const following = await sequenceFrom(nats, stream, next, subject)
        if (following === undefined || following > last) return
        silent = silence()
        continue
      }
      reading = undefined
      if (result.done || result.value.seq > last) return
      next = result.value.seq + 1
      yield result.value
      if (next > last || result.value.info.pending === 0) return
      reading = messages.next()
    }
  } finally {
    // Closing ends an iteration that waits for a message, and waits for one that stands at a message, which has to be
    // ended: which of them it is can't be told while messages arrive.
    await Promise.all([reader.stop(), messages.return?.()])
  }
}

/** Returns the sequences of the first and the last message that may be read. Without any, the last is 0. */
async function rangeOf(nats: Nats, stream: string, subject?: string): Promise<{ first: number; last: number }> {
  if (subject !== undefined)
    return { first: 1, last: (await nats.manager.streams.getMessage(stream, { last_by_subj: subject }))?.seq ?? 0 }
  const info = await streamInfo(nats, stream)
  if (!info || info.state.messages === 0) return { first: 1, last: 0 }
  return { first: info.state.first_seq, last: info.state.last_seq }
}

/** Returns the sequence of the first message of a stream from `seq` on; undefined when there is none. */
async function sequenceFrom(
  { connection }: Nats,
  stream: string,
  seq: number,
  subject = '>',
): Promise<number | undefined> {
  const request = JSON.stringify({ seq, next_by_subj: subject })
  const answer = await connection.request(`$JS.API.STREAM.MSG.GET.${stream}`, request, { timeout: 5_000 })
  return answer.json<{ message?: { seq: number } }>().message?.seq
}

function silence(): Promise<undefined> {
  return new Promise(resolve => setTimeout(resolve, SILENCE_MS, undefined).unref())
}

import type { JsMsg } from '@nats-io/jetstream'
import { type Log, type Nats, readStream, streamInfo } from '@slotstream/runtime'

/** How long to wait for a message before it is looked up whether there is one, in milliseconds. */
const SILENCE_MS = 1_000

/**
 * Reads the messages that a stream has now, once. What is deleted meanwhile, by the reader of these messages, say, is
 * left out. A stream that isn't there has none.
 */
export async function* readWhole(nats: Nats, stream: string, log: Log): AsyncGenerator<JsMsg> {
  const info = await streamInfo(nats, stream)
  if (!info || info.state.messages === 0) return
  const { first_seq, last_seq } = info.state
  const reader = readStream(nats, stream, { from: first_seq, log })
  const messages = reader[Symbol.asyncIterator]()
  let next = first_seq
  let reading: Promise<IteratorResult<JsMsg>> | undefined
  let silent = silence()
  try {
    reading = messages.next()
    while (next <= last_seq) {
      const result = await Promise.race([reading, silent])
      if (!result) {
        // The last ones may be gone: then nothing more ever comes.
        const following = await sequenceFrom(nats, stream, next)
        if (following === undefined || following > last_seq) return
        silent = silence()
        continue
      }
      reading = undefined
      if (result.done || result.value.seq > last_seq) return
      next = result.value.seq + 1
      yield result.value
      if (next > last_seq || result.value.info.pending === 0) return
      reading = messages.next()
    }
  } finally {
    // Closing ends an iteration that waits for a message, and waits for one that stands at a message, which has to be
    // ended: which of them it is can't be told while messages arrive.
    await Promise.all([reader.stop(), messages.return?.()])
  }
}

/** Sequence of the first message of a stream from `seq` on; undefined when there is none. */
async function sequenceFrom({ connection }: Nats, stream: string, seq: number): Promise<number | undefined> {
  const request = JSON.stringify({ seq, next_by_subj: '>' })
  const answer = await connection.request(`$JS.API.STREAM.MSG.GET.${stream}`, request, { timeout: 5_000 })
  return answer.json<{ message?: { seq: number } }>().message?.seq
}

function silence(): Promise<undefined> {
  return new Promise(resolve => setTimeout(resolve, SILENCE_MS, undefined).unref())
}

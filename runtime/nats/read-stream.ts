import type { ConsumerMessages, JsMsg } from '@nats-io/jetstream'
import type { Log } from '../process/log.js'
import { pause } from '../process/retry.js'
import type { Nats } from './nats.js'

/** Pause before a stream is read again after a failure, in milliseconds. */
const AGAIN_MS = 200

export interface StreamReader extends AsyncIterable<JsMsg> {
  /** Ends the iteration after the message at hand. */
  stop(): Promise<void>
}

/**
 * Reads a stream in order from sequence `from` on, without end: across reconnects, restarts and elections of the
 * server it goes on after the last message that was handed out. Nothing is acknowledged; whoever reads keeps its
 * position with its data. Not iterating is back pressure: no more than `buffer` messages are held.
 *
 * @param filter subject to read, when not the whole stream (nats-server 2.9 takes one at most)
 */
export function readStream(
  nats: Nats,
  stream: string,
  { from, filter, buffer = 500, log }: { from: number; filter?: string; buffer?: number; log: Log },
): StreamReader {
  let next = Math.max(1, from)
  let stopped = false
  let current: ConsumerMessages | undefined
  // The server forgets an ordered consumer when it dies. Waiting for missed heartbeats would take half a minute.
  const forget = nats.onReconnect(() => void current?.close())

  async function* messages() {
    while (!stopped) {
      try {
        const consumer = await nats.js.consumers.get(stream, {
          opt_start_seq: next,
          ...(filter ? { filter_subjects: filter } : {}),
        })
        current = await consumer.consume({ max_messages: buffer })
        // Stopped meanwhile: nobody closes this one.
        if (stopped) return void (await current.close())
        for await (const message of current) {
          if (message.seq < next) continue
          next = message.seq + 1
          yield message
          if (stopped) return
        }
      } catch (error) {
        if (!stopped) log.warn({ err: error, stream, next }, 'reading the stream failed, trying again')
      }
      if (!stopped) await pause(AGAIN_MS)
    }
  }

  return {
    [Symbol.asyncIterator]: messages,
    async stop() {
      stopped = true
      forget()
      await current?.close()
    },
  }
}

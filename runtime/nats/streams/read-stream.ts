import type { Consumer, ConsumerMessages, JsMsg } from '@nats-io/jetstream'
import type { Log } from '../../process/log.js'
import { pause } from '../../process/retry.js'
import type { Nats } from '../connection/nats.js'
import { noticeSilence } from './notice-silence.js'

/**
 * How often the server says that it is there while it has nothing new, in milliseconds, and how often that may fail to
 * come before reading begins again. By itself the client would wait for three quarters of a minute, and then ask for
 * its consumer until that answers: the one server that keeps it may be away for good.
 */
const HEARTBEAT_MS = 2_000
const MISSED = 3

/** Pause before a stream is read again after a failure, in milliseconds. */
const AGAIN_MS = 200

export interface StreamReader extends AsyncIterable<JsMsg> {
  /** Ends the iteration after the message at hand. */
  stop(): Promise<void>
}

/**
 * Reads a stream in order from sequence `from` on, without end: across reconnects, restarts, elections and losses of
 * servers it goes on after the last message that was handed out. Nothing is acknowledged; the reader keeps its
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
  let lost = false
  let current: ConsumerMessages | undefined
  /** Ends what is being read, or begun to be. */
  const breakOff = () => {
    lost = true
    void current?.close()
  }
  // A server that is killed forgets its ordered consumers.
  const forget = nats.onReconnect(breakOff)

  async function* messages() {
    while (!stopped) {
      try {
        lost = false
        const consumer = await nats.js.consumers.get(stream, {
          opt_start_seq: next,
          ...(filter ? { filter_subjects: filter } : {}),
        })
        current = await consumer.consume({ max_messages: buffer, idle_heartbeat: HEARTBEAT_MS })
        if (!stopped && !lost) yield* received(consumer, current)
        else {
          // Meanwhile. It is not waited for: what isn't iterated doesn't end.
          void current.close()
          current = undefined
        }
      } catch (error) {
        if (!stopped) log.warn({ err: error, stream, next }, 'reading the stream failed, trying again')
      }
      if (!stopped) await pause(AGAIN_MS)
    }
  }

  async function* received(consumer: Consumer, consumed: ConsumerMessages) {
    let waiting = true
    const notice = noticeSilence(
      { everyMs: HEARTBEAT_MS, looks: MISSED },
      // Without a connection there is nothing to hear; and while it is not iterated, the server is asked for nothing.
      () => waiting && nats.connected,
      () => {
        log.info({ stream, next }, 'nothing arrives of the stream, reading it again')
        breakOff()
        consumer.delete().catch(() => {})
      },
    )
    void (async () => {
      for await (const { type } of consumed.status()) {
        if (type === 'heartbeat') notice.heard()
        // The client made itself another consumer. It asks that for what is missing of its buffer, where the answers of
        // the one before count as if they were still to come: often for one message, and for nothing more.
        if (type === 'reset') breakOff()
      }
    })()
    try {
      for await (const message of consumed) {
        notice.heard()
        if (message.seq < next) continue
        next = message.seq + 1
        waiting = false
        yield message
        waiting = true
        if (stopped) return
      }
    } finally {
      notice.stop()
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

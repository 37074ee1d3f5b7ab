import { setImmediate } from 'node:timers/promises'
import type { JsMsg } from '@nats-io/jetstream'

/** Messages read without a pause: other work of the process, such as sending the previous block, must get its turn. */
const STRETCH = 50

export interface BlockLimits {
  maxRows: number
  /** Bytes of message bodies. */
  maxBytes: number
  /** Milliseconds since the first message. */
  maxAgeMs: number
}

export interface ReadOptions {
  /** Stream sequence of the last message of the block. Default: the limits say where it ends */
  until?: number | undefined
  /** Reads everything up to `until`, beyond the limits. Default false */
  whole?: boolean
  /** Work in the meantime: until it settles the block is not needed, so the age of its messages does not end it. */
  meanwhile?: Promise<unknown> | undefined
}

/** Reads the messages of a stream in blocks. Nothing is read between two calls: that is the back pressure. */
export interface BlockReader {
  /** True if the stream's reader was stopped. */
  readonly ended: boolean
  /**
   * Reads the next messages, until a limit is reached. Waits for the first one without a limit. One call at a time.
   *
   * @param countRows called with each message: the rows that it yields
   */
  read(countRows: (message: JsMsg) => number, limits: BlockLimits, options?: ReadOptions): Promise<JsMsg[]>
}

/** @param stream the messages, in order */
export function createBlockReader(stream: AsyncIterator<JsMsg>): BlockReader {
  let next: Promise<IteratorResult<JsMsg>> | undefined
  let ended = false

  return {
    get ended() {
      return ended
    },
    async read(countRows, { maxRows, maxBytes, maxAgeMs }, { until, whole = false, meanwhile } = {}) {
      const messages: JsMsg[] = []
      let rows = 0
      let bytes = 0
      let timer: NodeJS.Timeout | undefined
      let timeout: Promise<undefined> | undefined
      try {
        while (whole || (rows < maxRows && bytes < maxBytes)) {
          next ??= stream.next()
          const result = timeout && !whole ? await Promise.race([next, timeout]) : await next
          if (!result) break
          if (result.done) {
            ended = true
            break
          }
          const message = result.value
          if (until !== undefined && message.seq > until) break
          next = undefined
          messages.push(message)
          rows += countRows(message)
          bytes += message.data.length
          // The end of a range may be gone from the stream; nothing pending means that nothing more of it comes.
          if (until !== undefined && (message.seq === until || message.info.pending === 0)) break
          timeout ??= Promise.all([
            new Promise<void>(resolve => {
              timer = setTimeout(resolve, maxAgeMs)
            }),
            meanwhile?.catch(() => {}),
          ]).then(() => undefined)
          if (messages.length % STRETCH === 0) await setImmediate()
        }
      } finally {
        clearTimeout(timer)
      }
      return messages
    },
  }
}

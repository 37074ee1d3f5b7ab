import { setImmediate } from 'node:timers/promises'
import type { JsMsg } from '@nats-io/jetstream'

/** Messages read at a stretch: what else the process does, such as sending the block before, must get its turn. */
const STRETCH = 50

export interface CollectLimits {
  maxRows: number
  /** Bytes of message bodies. */
  maxBytes: number
  /** Milliseconds since the first message. */
  maxAgeMs: number
}

export interface TakeOptions {
  /** Sequence of the last message to take. */
  until?: number | undefined
  /** Take everything up to `until`, whatever the limits say. */
  whole?: boolean
  /** While this goes on nobody waits for the messages, so their age is no reason to stop. */
  meanwhile?: Promise<unknown> | undefined
}

/**
 * Collects messages of a stream into blocks. While nobody collects, nothing is read: that is the back pressure.
 *
 * @param count rows of a message
 */
export function collector(messages: AsyncIterator<JsMsg>, count: (message: JsMsg) => number) {
  let next: Promise<IteratorResult<JsMsg>> | undefined
  let ended = false

  return {
    /** Whether the stream's reader was stopped. */
    get ended() {
      return ended
    },
    /**
     * The next messages: until a limit is reached. Waits for the first one as long as it takes. One call at a time.
     */
    async take(
      { maxRows, maxBytes, maxAgeMs }: CollectLimits,
      { until, whole = false, meanwhile }: TakeOptions = {},
    ): Promise<JsMsg[]> {
      const taken: JsMsg[] = []
      let rows = 0
      let bytes = 0
      let timer: NodeJS.Timeout | undefined
      let timeout: Promise<undefined> | undefined
      try {
        while (whole || (rows < maxRows && bytes < maxBytes)) {
          next ??= messages.next()
          const result = timeout && !whole ? await Promise.race([next, timeout]) : await next
          if (!result) break
          if (result.done) {
            ended = true
            break
          }
          const message = result.value
          if (until !== undefined && message.seq > until) break
          next = undefined
          taken.push(message)
          rows += count(message)
          bytes += message.data.length
          // The end of a range may be gone from the stream; nothing pending means that nothing more of it comes.
          if (until !== undefined && (message.seq === until || message.info.pending === 0)) break
          timeout ??= Promise.all([
            new Promise<void>(resolve => {
              timer = setTimeout(resolve, maxAgeMs)
            }),
            meanwhile?.catch(() => {}),
          ]).then(() => undefined)
          if (taken.length % STRETCH === 0) await setImmediate()
        }
      } finally {
        clearTimeout(timer)
      }
      return taken
    },
  }
}

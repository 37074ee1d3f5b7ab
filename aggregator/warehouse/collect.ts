import type { JsMsg } from '@nats-io/jetstream'

export interface CollectLimits {
  maxRows: number
  /** Bytes of message bodies. */
  maxBytes: number
  /** Milliseconds since the first message. */
  maxAgeMs: number
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
     * The next messages: until a limit is reached. Waits for the first one as long as it takes.
     *
     * @param until sequence of the last message to take
     * @param whole take everything up to `until`, whatever the limits say
     */
    async take({ maxRows, maxBytes, maxAgeMs }: CollectLimits, until?: number, whole = false): Promise<JsMsg[]> {
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
          timeout ??= new Promise(resolve => {
            timer = setTimeout(() => resolve(undefined), maxAgeMs)
          })
        }
      } finally {
        clearTimeout(timer)
      }
      return taken
    },
  }
}

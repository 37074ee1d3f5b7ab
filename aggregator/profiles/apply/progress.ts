/** The progress of a partition's reader and applier, in sequences of the stream. */
export interface Progress {
  /** Notes that message `seq` of `bytes` bytes was read. Where it is not applied already, `applied` follows. */
  received(seq: number, isApplied: boolean, bytes?: number): void
  /**
   * Notes that a message that was received before is applied now.
   *
   * @throws when it is not the oldest of them
   */
  applied(seq: number): void
  /**
   * Resolves to true as soon as everything up to `seq` is applied, to false when it is not within `deadlineMs`
   * milliseconds. Default: no deadline
   */
  waitFor(seq: number, deadlineMs?: number): Promise<boolean>
  /** Sequence up to which everything is applied. */
  readonly through: number
  /** Messages received and not applied yet. */
  readonly pending: number
  /** Bytes of them, as they were read. */
  readonly pendingBytes: number
}

/**
 * Creates the progress of a partition.
 *
 * @param start sequence up to which everything was applied before
 */
export function createProgress(start: number): Progress {
  const waiting: { seq: number; bytes: number }[] = []
  let waitingBytes = 0
  const listeners = new Set<() => void>()
  let lastReceived = start

  const through = () => (waiting[0] === undefined ? lastReceived : waiting[0].seq - 1)

  function notify(): void {
    for (const listener of listeners) listener()
  }

  return {
    received(seq, isApplied, bytes = 0) {
      if (!isApplied) {
        waiting.push({ seq, bytes })
        waitingBytes += bytes
      }
      lastReceived = seq
      notify()
    },
    applied(seq) {
      if (waiting[0]?.seq !== seq) throw new Error(`message ${seq} was applied out of order`)
      waitingBytes -= waiting.shift()!.bytes
      notify()
    },
    waitFor(seq, deadlineMs) {
      if (through() >= seq) return Promise.resolve(true)
      return new Promise(resolve => {
        const end = (isReached: boolean) => {
          clearTimeout(timer)
          listeners.delete(check)
          resolve(isReached)
        }
        const check = () => {
          if (through() >= seq) end(true)
        }
        const timer = deadlineMs === undefined ? undefined : setTimeout(end, Math.max(0, deadlineMs), false)
        listeners.add(check)
      })
    },
    get through() {
      return through()
    },
    get pending() {
      return waiting.length
    },
    get pendingBytes() {
      return waitingBytes
    },
  }
}

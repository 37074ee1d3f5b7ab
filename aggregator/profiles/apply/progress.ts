/** How far the reader of a partition has got, and who waits for it. All in sequences of the stream. */
export interface Progress {
  /** The reader took message `seq` of `bytes` bytes; it is applied at once, or later with `applied`. */
  received(seq: number, applied: boolean, bytes?: number): void
  /** A message that was received before has been applied now. They are applied in order. */
  applied(seq: number): void
  /** True as soon as everything up to `seq` has been applied, false after `deadlineMs` milliseconds without that, if given. */
  waitFor(seq: number, deadlineMs?: number): Promise<boolean>
  /** Everything up to here has been applied. */
  readonly through: number
  /** Messages received and not applied yet. */
  readonly pending: number
  /** Bytes of them, as they were read. */
  readonly pendingBytes: number
}

/** @param start everything up to here was applied before */
export function createProgress(start: number): Progress {
  const waiting: { seq: number; bytes: number }[] = []
  let waitingBytes = 0
  const listeners = new Set<() => void>()
  let position = start

  const through = () => (waiting[0] === undefined ? position : waiting[0].seq - 1)

  function tell(): void {
    for (const listener of listeners) listener()
  }

  return {
    received(seq, applied, bytes = 0) {
      if (!applied) {
        waiting.push({ seq, bytes })
        waitingBytes += bytes
      }
      position = seq
      tell()
    },
    applied(seq) {
      if (waiting[0]?.seq !== seq) throw new Error(`message ${seq} was applied out of order`)
      waitingBytes -= waiting.shift()!.bytes
      tell()
    },
    waitFor(seq, deadlineMs) {
      if (through() >= seq) return Promise.resolve(true)
      return new Promise(resolve => {
        const end = (reached: boolean) => {
          clearTimeout(timer)
          listeners.delete(check)
          resolve(reached)
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

/** How far a reader of the stream has got, and who waits for it. */
export interface Progress {
  /** The reader took message `seq`, of `partition`; it is applied at once, or later with `applied`. */
  received(partition: number, seq: number, applied: boolean): void
  /** A message that was received before has been applied now. Within a partition they are applied in order. */
  applied(partition: number, seq: number): void
  /** Everything of `partition` up to this stream sequence has been applied. */
  appliedThrough(partition: number): number
  /**
   * Resolves true as soon as everything of `partition` up to stream sequence `seq` has been applied, false after
   * `deadlineMs` milliseconds without that.
   */
  waitFor(partition: number, seq: number, deadlineMs: number): Promise<boolean>
  /** Messages received and not applied yet. */
  readonly pending: number
  /** Stream sequence of the last message received. A partition without messages is as far as this. */
  readonly position: number
}

/** @param start stream sequence up to which everything was applied before */
export function createProgress(partitions: number, start: number): Progress {
  const waiting: number[][] = Array.from({ length: partitions }, () => [])
  const listeners = new Set<() => void>()
  let position = start
  let pending = 0

  function appliedThrough(partition: number): number {
    const first = waiting[partition]?.[0]
    return first === undefined ? position : first - 1
  }

  function tell(): void {
    for (const listener of listeners) listener()
  }

  return {
    received(partition, seq, applied) {
      if (!applied) {
        waiting[partition]?.push(seq)
        pending++
      }
      position = seq
      tell()
    },
    applied(partition, seq) {
      if (waiting[partition]?.[0] !== seq) throw new Error(`message ${seq} was applied out of order`)
      waiting[partition]?.shift()
      pending--
      tell()
    },
    appliedThrough,
    waitFor(partition, seq, deadlineMs) {
      if (appliedThrough(partition) >= seq) return Promise.resolve(true)
      return new Promise(resolve => {
        const end = (reached: boolean) => {
          clearTimeout(timer)
          listeners.delete(check)
          resolve(reached)
        }
        const check = () => {
          if (appliedThrough(partition) >= seq) end(true)
        }
        const timer = setTimeout(end, Math.max(0, deadlineMs), false)
        listeners.add(check)
      })
    },
    get pending() {
      return pending
    },
    get position() {
      return position
    },
  }
}

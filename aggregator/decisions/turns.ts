/** The place of a decision among those of its visitor. */
export interface Turn {
  /** Resolves when all earlier decisions are made, to the stream sequence that must be applied to include them. */
  before: Promise<number>
  /** Ends the turn, once. @param seq stream sequence that later turns must wait for. Default: as this one did */
  end(seq?: number): void
}

/** Visitors whose latest turn is remembered, at most. Beyond that, the least recent ones are forgotten. */
const MAX_VISITORS = 20_000

/**
 * Serializes the decisions of each visitor, so that caps count what was shown a moment ago, even if requests arrive at
 * the same time.
 */
export function createTurns(maxVisitors = MAX_VISITORS): { take(visitor: string): Turn; readonly size: number } {
  const latest = new Map<string, Promise<number>>()
  return {
    take(visitor) {
      const before = latest.get(visitor) ?? Promise.resolve(0)
      let resolve: (seq: number) => void = () => {}
      const promise = new Promise<number>(done => {
        resolve = done
      })
      // Deleted first, so that the map is in the order of the latest turns.
      latest.delete(visitor)
      latest.set(
        visitor,
        before.then(async earlier => Math.max(earlier, await promise)),
      )
      const [oldest] = latest.keys()
      if (latest.size > maxVisitors && oldest !== undefined) latest.delete(oldest)
      return { before, end: (seq = 0) => resolve(seq) }
    },
    get size() {
      return latest.size
    },
  }
}

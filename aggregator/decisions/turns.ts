/** The place of a decision among those of its visitor. */
export interface Turn {
  /** Resolves when the decisions before it are made, to the stream sequence that must be applied for them to count. */
  before: Promise<number>
  /** Ends the turn: the next decision is made when `seq` is applied. Default: what the turn waited for. Once. */
  end(seq?: number): void
}

/** Visitors whose latest decision is remembered. Of more, the longest untouched are forgotten. */
const MAX_VISITORS = 20_000

/**
 * Lets decisions of one visitor be made one after the other, so that a cap counts what was shown a moment ago, also to
 * requests that come at once.
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

/** Stream positions of each visitor's messages, as answers said: the next request waits for that. */
export interface Positions {
  /** Takes note of an answer. */
  reached(visitor: string, position: number | undefined): void
  /** Returns the highest so far. */
  highest(visitor: string): number | undefined
}

export function createPositions(): Positions {
  const positions = new Map<string, number>()
  return {
    reached(visitor, position) {
      if (position !== undefined) positions.set(visitor, Math.max(positions.get(visitor) ?? 0, position))
    },
    highest: visitor => positions.get(visitor),
  }
}

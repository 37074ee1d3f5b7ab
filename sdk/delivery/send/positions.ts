/** How far each visitor's messages got in the stream, as answers said: what is asked next waits for that. */
export interface Positions {
  /** Takes note of an answer. */
  reached(visitor: string, position: number | undefined): void
  /** The highest so far. */
  of(visitor: string): number | undefined
}

export function createPositions(): Positions {
  const positions = new Map<string, number>()
  return {
    reached(visitor, position) {
      if (position !== undefined) positions.set(visitor, Math.max(positions.get(visitor) ?? 0, position))
    },
    of: visitor => positions.get(visitor),
  }
}

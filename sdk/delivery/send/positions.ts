/** Highest stream position of each visitor's messages, as answers said: the next request waits for that. */
export type Positions = Map<string, number>

/** Takes note of an answer. */
export function reached(positions: Positions, visitor: string, position: number | undefined): void {
  if (position !== undefined) positions.set(visitor, Math.max(positions.get(visitor) ?? 0, position))
}

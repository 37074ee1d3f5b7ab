/** Returns the rank of each score: 0 for the largest, equal scores alike. */
export function ranksOf(scores: readonly number[]): number[] {
  const places = new Map([...new Set(scores)].sort((a, b) => b - a).map((score, rank) => [score, rank]))
  return scores.map(score => places.get(score)!)
}

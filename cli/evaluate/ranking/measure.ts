/** Items that are shown of a ranking. */
const SHOWN = 10

/** Means over users. */
export interface RankingMeasures {
  /** Discounted gain of the best ten, as a share of what the best order would have. */
  ndcg10: number
  /** Share of a user's test items that are among the best ten. */
  recall10: number
  /** Share of users with a test item among the best ten. */
  hitRate10: number
}

/** A user's items: those that trained, and those that test, by number. */
export interface UserItems {
  seen: readonly number[]
  tested: ReadonlySet<number>
}

/**
 * Measures a ranking of all items that a user has not had. Of equal scores the lower item comes first.
 *
 * @param items how many there are
 * @param scoresOf scores of all items for a user, the best the largest
 */
export function measureRanking(
  users: readonly UserItems[],
  items: number,
  scoresOf: (seen: readonly number[]) => ArrayLike<number>,
): RankingMeasures {
  const sums = { ndcg10: 0, recall10: 0, hitRate10: 0 }
  for (const { seen, tested } of users) {
    const top = bestOf(scoresOf(seen), items, new Set(seen))
    const gains = top.map((item, rank) => (tested.has(item) ? 1 / Math.log2(rank + 2) : 0))
    const ideal = Array.from({ length: Math.min(SHOWN, tested.size) }, (_, rank) => 1 / Math.log2(rank + 2))
    const hits = gains.filter(gain => gain > 0).length
    sums.ndcg10 += sumOf(gains) / sumOf(ideal)
    sums.recall10 += hits / tested.size
    sums.hitRate10 += hits > 0 ? 1 : 0
  }
  const mean = (sum: number) => (users.length > 0 ? sum / users.length : 0)
  return { ndcg10: mean(sums.ndcg10), recall10: mean(sums.recall10), hitRate10: mean(sums.hitRate10) }
}

function bestOf(scores: ArrayLike<number>, items: number, seen: ReadonlySet<number>): number[] {
  const top: number[] = []
  for (let item = 0; item < items; item++) {
    if (seen.has(item)) continue
    const score = scores[item]!
    if (top.length === SHOWN && score <= scores[top[SHOWN - 1]!]!) continue
    let place = top.length
    while (place > 0 && score > scores[top[place - 1]!]!) place--
    top.splice(place, 0, item)
    if (top.length > SHOWN) top.pop()
  }
  return top
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}

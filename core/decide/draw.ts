/** A candidate with its score: all that a policy leaves to the draw. */
export interface Scored {
  contentId: string
  score: number
}

export interface Drawn {
  contentIds: string[]
  /** Of each: the chance with which it was drawn for its position, given those before it. */
  propensities: number[]
  /** Whether something was shown although something else scored higher. */
  explored: boolean
}

/**
 * The chance of each candidate for the next position: with probability `exploration` any of them, each as likely as
 * the other, else the best; of several equally good ones, each as likely as the other. Sums to 1.
 */
export function chances(candidates: Scored[], exploration: number): number[] {
  const best = bestScore(candidates)
  const ties = candidates.filter(({ score }) => score === best).length
  return candidates.map(
    ({ score }) => exploration / candidates.length + (score === best ? (1 - exploration) / ties : 0),
  )
}

/**
 * Draws up to `count` candidates, position by position, none twice. The draw uses the very numbers of `chances`, and
 * they are what is logged: a propensity can't differ from the chance the item really had.
 */
export function draw(candidates: Scored[], exploration: number, count: number, random: () => number): Drawn {
  const rest = [...candidates]
  const drawn: Drawn = { contentIds: [], propensities: [], explored: false }
  while (drawn.contentIds.length < count && rest.length > 0) {
    const probabilities = chances(rest, exploration)
    const index = pick(probabilities, random())
    const best = bestScore(rest)
    for (const { contentId, score } of rest.splice(index, 1)) {
      drawn.contentIds.push(contentId)
      drawn.propensities.push(probabilities[index] ?? 0)
      drawn.explored ||= score < best
    }
  }
  return drawn
}

/** The index whose stretch of [0, 1) holds `point`. Never one with no chance, even where rounding leaves a gap at 1. */
function pick(probabilities: number[], point: number): number {
  let last = 0
  let end = 0
  for (const [index, probability] of probabilities.entries()) {
    if (probability === 0) continue
    end += probability
    last = index
    if (point < end) break
  }
  return last
}

function bestScore(candidates: Scored[]): number {
  return candidates.reduce((best, { score }) => Math.max(best, score), Number.NEGATIVE_INFINITY)
}

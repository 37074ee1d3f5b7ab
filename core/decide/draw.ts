/** A candidate with its score, as records without a `draw` list it. */
export interface Scored {
  contentId: string
  score: number
}

/** The outcome of a draw. */
export interface Drawn {
  contentIds: string[]
  /** For each content: the chance with which it was drawn for its position, given those before it. */
  propensities: number[]
  /** Whether something was shown although something else scored higher. */
  explored: boolean
}

/**
 * Returns the chance of each candidate for the next position (ε-greedy): with probability `exploration` a uniform draw,
 * else the candidate with the best score; ties share its chance equally. The chances sum to 1.
 */
export function chances(candidates: Scored[], exploration: number): number[] {
  const best = bestScore(candidates)
  const ties = candidates.filter(({ score }) => score === best).length
  return candidates.map(
    ({ score }) => exploration / candidates.length + (score === best ? (1 - exploration) / ties : 0),
  )
}

/**
 * Draws up to `count` candidates, position by position, without replacement. Propensities are the numbers of `chances`
 * that the draw itself uses, so that they cannot differ from the actual chances.
 *
 * @param random returns numbers in [0, 1)
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

/**
 * Returns the index whose part of [0, 1) has `point`. Never one without a chance, even if rounding leaves a gap at 1.
 */
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

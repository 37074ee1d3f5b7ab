import { chancesOf, type Lottery } from './lottery.js'
import { pickUnit } from './probability.js'

/** Candidates that were drawn, position by position, none twice. */
export interface Slate {
  /** Indices of the candidates. */
  drawn: number[]
  /** Chance of each for its position, given those before it, in units of `PROBABILITY_SCALE`. */
  propensities: number[]
  /** Chance of each candidate for the first position. Empty where nothing is drawn. */
  probabilities: number[]
  /** True if a position shows something although something else was more likely. */
  explored: boolean
}

/**
 * Draws a slate. The chances that are drawn by are those that are recorded.
 *
 * @param candidates how many there are
 * @param random numbers in [0, 1): one a position
 */
export function drawSlate(lottery: Lottery, candidates: number, count: number, random: () => number): Slate {
  const rest = new Array<number>(candidates)
  for (let index = 0; index < candidates; index++) rest[index] = index
  const slate: Slate = { drawn: [], propensities: [], probabilities: [], explored: false }
  while (slate.drawn.length < count && rest.length > 0) {
    const chances = chancesOf(lottery, rest)
    if (slate.drawn.length === 0) slate.probabilities = chances
    const place = pickUnit(chances, random())
    slate.drawn.push(rest[place]!)
    slate.propensities.push(chances[place]!)
    slate.explored ||= isUnlikelier(chances, place)
    rest.splice(place, 1)
  }
  return slate
}

/** Returns whether something has a higher chance, by more than what rounding gives to the largest. */
function isUnlikelier(chances: readonly number[], place: number): boolean {
  const least = chances[place]! + chances.length
  for (let at = 0; at < chances.length; at++) if (chances[at]! > least) return true
  return false
}

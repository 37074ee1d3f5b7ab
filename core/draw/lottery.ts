import { createWorkspace } from '../algebra/workspace.js'
import { toUnits } from './probability.js'

/**
 * A policy's answer as numbers by which any position of a slate is drawn. The chances follow from them with + − × ÷
 * alone, so that a draw is reproduced from its record by every version of every engine. Candidates are named by index.
 */
export type Lottery = {
  /** Share of draws that any candidate can win, each as likely as the others: 0–1. */
  exploration: number
} & (
  | {
      /** The best of the rest; of equally good ones, each as likely as the other. */
      rule: 'ranked'
      /** Rank of each candidate, 0 the best, equal for ties. */
      ranks: readonly number[]
    }
  | {
      /** Chances in proportion to shares, of those that are left. */
      rule: 'shares'
      /** Shares, not negative. Where those of the rest are all 0, each is as likely as the other. */
      shares: readonly number[]
    }
  | {
      /**
       * Inverse-gap weighting (Abe and Long 1999; Foster and Rakhlin 2020): 1 / (K + γ · gap) each, what remains to the
       * best.
       */
      rule: 'gaps'
      scores: readonly number[]
      gamma: number
    }
  | {
      /** Chances in proportion to how often a candidate was the best of the rest in samples of a posterior. */
      rule: 'samples'
      /** Best candidates of each sample, the best first, as many as the slate has positions. */
      tops: readonly (readonly number[])[]
    }
)

/**
 * Returns the chance of each candidate that is left for the next position, in units of `PROBABILITY_SCALE`.
 *
 * @param rest indices of the candidates that are left, not empty
 */
export function chancesOf(lottery: Lottery, rest: readonly number[]): number[] {
  const { exploration } = lottery
  const chances = chosenShares(lottery, rest)
  for (let at = 0; at < chances.length; at++) chances[at] = exploration / rest.length + (1 - exploration) * chances[at]!
  return toUnits(chances)
}

const workspace = createWorkspace()

/** Returns the share of each candidate that is left, where nothing is explored: lent until the next time. */
function chosenShares(lottery: Lottery, rest: readonly number[]): Float64Array {
  switch (lottery.rule) {
    case 'ranked': {
      const shares = pickFrom(lottery.ranks, rest, workspace(rest.length))
      let best = Number.POSITIVE_INFINITY
      for (const rank of shares) if (rank < best) best = rank
      for (let at = 0; at < shares.length; at++) shares[at] = shares[at] === best ? 1 : 0
      return inProportion(shares)
    }
    case 'shares':
      return inProportion(pickFrom(lottery.shares, rest, workspace(rest.length)))
    case 'gaps':
      return inverseGaps(pickFrom(lottery.scores, rest, workspace(rest.length)), lottery.gamma)
    case 'samples':
      return inProportion(timesBest(lottery.tops, rest, workspace(rest.length)))
  }
}

/**
 * Returns the values at some places.
 *
 * @param picked gets them: as many numbers as there are places
 */
export function pickFrom(values: ArrayLike<number>, places: readonly number[], picked: Float64Array): Float64Array {
  for (let at = 0; at < picked.length; at++) picked[at] = values[places[at]!]!
  return picked
}

const placeSpace = createWorkspace()

/**
 * Counts how often each candidate that is left was the best of the rest in a sample.
 *
 * @param counts gets the numbers: as many as candidates are left
 */
function timesBest(tops: readonly (readonly number[])[], rest: readonly number[], counts: Float64Array): Float64Array {
  let most = 0
  for (let at = 0; at < rest.length; at++) if (rest[at]! > most) most = rest[at]!
  const places = placeSpace(most + 1).fill(-1)
  for (let at = 0; at < rest.length; at++) places[rest[at]!] = at
  counts.fill(0)
  for (const top of tops)
    for (const index of top) {
      const place = index <= most ? places[index]! : -1
      if (place < 0) continue
      counts[place] = counts[place]! + 1
      break
    }
  return counts
}

function sumOf(values: Float64Array): number {
  let sum = 0
  for (let at = 0; at < values.length; at++) sum += values[at]!
  return sum
}

function inProportion(shares: Float64Array): Float64Array {
  const sum = sumOf(shares)
  for (let at = 0; at < shares.length; at++) shares[at] = sum > 0 ? shares[at]! / sum : 1 / shares.length
  return shares
}

function inverseGaps(scores: Float64Array, gamma: number): Float64Array {
  let best = 0
  for (let at = 0; at < scores.length; at++) if (scores[at]! > scores[best]!) best = at
  const chances = scores.map(score => 1 / (scores.length + gamma * (scores[best]! - score)))
  chances[best] = 0
  chances[best] = 1 - sumOf(chances)
  return chances
}

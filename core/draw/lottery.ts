import { toUnits } from './probability.js'

/**
 * A policy's answer as numbers by which any position of a slate is drawn. The chances follow from them with + − × ÷ alone, so
 * that a draw is reproduced from its record by every version of every engine. Candidates are named by index.
 */
export type Lottery = {
  /** Share of draws that any candidate can win, each as likely as the others: 0–1. */
  exploration: number
} & (
  | {
      /** The best of the rest; of equally good ones, each as likely as the other. */
      rule: 'ranked'
      /** Of each candidate: its rank, 0 the best, equal for ties. */
      ranks: readonly number[]
    }
  | {
      /** In proportion to shares, of those that are left. */
      rule: 'shares'
      /** Not negative. Where those of the rest are all 0, each is as likely as the other. */
      shares: readonly number[]
    }
  | {
      /** Inverse-gap weighting (Abe and Long 1999; Foster and Rakhlin 2020): 1 / (K + γ · gap) each, what remains to the best. */
      rule: 'gaps'
      scores: readonly number[]
      gamma: number
    }
  | {
      /** In proportion to how often a candidate was the best of the rest in samples of a posterior. */
      rule: 'samples'
      /** Of each sample: its best candidates, the best first, as many as the slate has positions. */
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
  const chosen = chosenShares(lottery, rest)
  return toUnits(chosen.map(share => exploration / rest.length + (1 - exploration) * share))
}

function chosenShares(lottery: Lottery, rest: readonly number[]): number[] {
  switch (lottery.rule) {
    case 'ranked': {
      const best = rest.reduce((least, index) => Math.min(least, lottery.ranks[index]!), Number.POSITIVE_INFINITY)
      return inProportion(rest.map(index => (lottery.ranks[index] === best ? 1 : 0)))
    }
    case 'shares':
      return inProportion(rest.map(index => lottery.shares[index]!))
    case 'gaps':
      return inverseGaps(
        rest.map(index => lottery.scores[index]!),
        lottery.gamma,
      )
    case 'samples': {
      const counts = new Map(rest.map(index => [index, 0]))
      for (const top of lottery.tops) {
        const best = top.find(index => counts.has(index))
        if (best !== undefined) counts.set(best, counts.get(best)! + 1)
      }
      return inProportion([...counts.values()])
    }
  }
}

function inProportion(shares: readonly number[]): number[] {
  const sum = shares.reduce((total, share) => total + share, 0)
  return shares.map(share => (sum > 0 ? share / sum : 1 / shares.length))
}

function inverseGaps(scores: readonly number[], gamma: number): number[] {
  let best = 0
  for (const [index, score] of scores.entries()) if (score > scores[best]!) best = index
  const chances = scores.map(score => 1 / (scores.length + gamma * (scores[best]! - score)))
  chances[best] = 0
  chances[best] = 1 - chances.reduce((sum, chance) => sum + chance, 0)
  return chances
}

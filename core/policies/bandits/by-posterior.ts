import { chanceOfBest } from '../../algebra/chance-of-best.js'
import { nthLargest } from '../../algebra/nth-largest.js'
import { createWorkspace } from '../../algebra/workspace.js'
import { seededNumbers } from '../../decide/random.js'
import { type Lottery, pickFrom } from '../../draw/lottery.js'
import { PROBABILITY_SCALE } from '../../draw/probability.js'
import { sampleTops } from '../../draw/sample-tops.js'
import { placesTo } from '../proposal.js'

/**
 * Candidates whose chances are computed, at most: the others are too unlikely to be the best, and keep their share of
 * exploration.
 */
const CONTENDERS = 64

/** Candidates are contenders by their upper confidence bound: the mean plus this many standard deviations. */
const OPTIMISM = 3

/** Shares are whole numbers of this unit, which keeps records short. */
const SHARE_SCALE = PROBABILITY_SCALE

const meanSpace = createWorkspace()
const deviationSpace = createWorkspace()
const hopeSpace = createWorkspace()

/**
 * Returns the lottery in which each candidate's chance is its probability to be the best, with independent normal
 * posteriors: by quadrature for one position; by samples of the posterior for several, whose conditional chances the
 * quadrature does not yield.
 *
 * @param means,deviations of the posteriors, by candidate
 * @param samples whether to sample. Default: for several positions
 */
export function posteriorLottery(
  means: ArrayLike<number>,
  deviations: ArrayLike<number>,
  {
    count,
    exploration,
    seed,
    samples = count > 1,
  }: { count: number; exploration: number; seed: string; samples?: boolean },
): Lottery {
  const contenders = mostHopeful(means, deviations, Math.max(CONTENDERS, count))
  const someMeans = pickFrom(means, contenders, meanSpace(contenders.length))
  const someDeviations = pickFrom(deviations, contenders, deviationSpace(contenders.length))
  if (samples) {
    // Not the seed of the draw, so that the draw is independent of the samples.
    const tops = sampleTops(someMeans, someDeviations, count, seededNumbers(`${seed}\0posterior`))
    for (const top of tops) for (let at = 0; at < top.length; at++) top[at] = contenders[top[at]!]!
    return { rule: 'samples', exploration, tops }
  }
  const shares = new Array<number>(means.length).fill(0)
  const chances = chanceOfBest(someMeans, someDeviations)
  for (let index = 0; index < chances.length; index++)
    shares[contenders[index]!] = Math.round(chances[index]! * SHARE_SCALE)
  return { rule: 'shares', exploration, shares }
}

/** Returns the indices of the candidates with the largest upper confidence bounds; of ties, the first. */
function mostHopeful(means: ArrayLike<number>, deviations: ArrayLike<number>, most: number): number[] {
  if (means.length <= most) return placesTo(means.length)
  const { length } = means
  const hope = hopeSpace(length)
  for (let index = 0; index < length; index++) hope[index] = means[index]! + OPTIMISM * deviations[index]!
  const least = nthLargest(hope, most, length)
  let ties = most
  for (let index = 0; index < length; index++) if (hope[index]! > least) ties--
  const chosen: number[] = []
  for (let index = 0; index < length; index++)
    if (hope[index]! > least || (hope[index] === least && ties-- > 0)) chosen.push(index)
  return chosen
}

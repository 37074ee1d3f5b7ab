import { chanceOfBest } from '../../algebra/chance-of-best.js'
import { seededRandom } from '../../decide/random.js'
import type { Lottery } from '../../draw/lottery.js'
import { PROBABILITY_SCALE } from '../../draw/probability.js'
import { sampleTops } from '../../draw/sample-tops.js'

/** Candidates that the quadrature takes: the others are too unlikely to be the best, and keep their share of exploration. */
const CONTENDERS = 64

/** Standard deviations above its mean by which a candidate is a contender. */
const OPTIMISM = 3

/** Units of a share: whole numbers keep a record short, and nothing is drawn by finer ones. */
const SHARE_SCALE = PROBABILITY_SCALE

/**
 * Returns the lottery in which each candidate's chance is its probability to be the best: by quadrature for one position, by
 * samples of the posterior for several, whose conditional chances the quadrature does not know.
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
  const all = Array.from({ length: means.length }, (_, index) => index)
  const most = Math.max(CONTENDERS, count)
  const contenders = all.length <= most ? all : mostHopeful(means, deviations, most)
  const someMeans = contenders.map(index => means[index]!)
  const someDeviations = contenders.map(index => deviations[index]!)
  if (samples) {
    // Another seed than the draw's: its numbers must not depend on the posterior's.
    const tops = sampleTops(someMeans, someDeviations, count, seededRandom(`${seed}\0posterior`))
    return { rule: 'samples', exploration, tops: tops.map(top => top.map(index => contenders[index]!)) }
  }
  const shares = new Array<number>(means.length).fill(0)
  for (const [index, chance] of chanceOfBest(someMeans, someDeviations).entries())
    shares[contenders[index]!] = Math.round(chance * SHARE_SCALE)
  return { rule: 'shares', exploration, shares }
}

/** Returns those that are best by the upper end of what is likely; of equal ones, the first. */
function mostHopeful(means: ArrayLike<number>, deviations: ArrayLike<number>, most: number): number[] {
  const hope = Float64Array.from(means, (mean, index) => mean + OPTIMISM * deviations[index]!)
  // Sorting numbers is quicker than sorting places by them.
  const least = hope.slice().sort()[hope.length - most]!
  let ties = most
  for (const value of hope) if (value > least) ties--
  const chosen: number[] = []
  for (let index = 0; index < hope.length; index++)
    if (hope[index]! > least || (hope[index] === least && ties-- > 0)) chosen.push(index)
  return chosen
}

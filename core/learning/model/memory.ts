import { type Epoch, type Epochs, latestFirst } from '../epochs/epochs.js'
import { REWARD_SCALE } from '../sums/fixed-point.js'
import { readContents } from './content-model.js'
import { contentRates } from './content-rates.js'
import { fitCoefficients, quadraticForm, squaredError } from './linear-model.js'
import { addWeighted, emptyWeightedSums, type WeightedSums, weighEpochs } from './weighted-sums.js'

/** Number of latest outcomes that a model is fitted to. */
export type Memory = number

/** Memories that are compared, the longest first. */
export const MEMORIES: readonly Memory[] = [Number.POSITIVE_INFINITY, 3_200, 800, 240]

/** Latest outcomes, which memories are judged by predicting. */
const JUDGED = 160

/** Standard deviations by which a shorter memory must predict better, so that luck alone does not shorten it. */
const MARGIN = 1

/** Returns the latest epochs, until they have as many outcomes as the memory. @param epochs the latest first */
export function withinMemory(epochs: readonly Epoch[], memory: Memory): Epoch[] {
  let outcomes = 0
  return epochs.filter(epoch => {
    const isWithin = outcomes < memory
    outcomes += viewsOf(epoch)
    return isWithin
  })
}

/**
 * Chooses the memory with which the latest epochs would have been predicted best from those before: long while
 * behaviour is stable, short after it has changed.
 *
 * @param dimension of the linear sums; 0: judges by the sums per content
 */
export function chooseMemory(epochs: Epochs, dimension: number): Memory {
  const latest = latestFirst(epochs)
  const recent = withinMemory(latest, JUDGED)
  const earlier = latest.slice(recent.length)
  const longest = MEMORIES[0]!
  if (earlier.reduce((sum, epoch) => sum + viewsOf(epoch), 0) < JUDGED) return longest
  const truth = weighEpochs(recent, dimension)
  const judge = dimension > 0 ? judgeLinear(truth) : judgeContents(truth)
  const [everything, ...shorter] = judgeMemories(earlier, dimension, judge)
  let champion = everything!
  for (const challenger of shorter) {
    const gain = champion.judged.error - challenger.judged.error
    const { noise, distanceTo } = challenger.judged
    if (gain > MARGIN * 2 * Math.sqrt(noise * distanceTo(champion.judged.values))) champion = challenger
  }
  return champion.memory
}

/** Judges all earlier epochs, and each memory that is shorter than these, the longest first. */
function judgeMemories(
  earlier: readonly Epoch[],
  dimension: number,
  judge: (sums: WeightedSums) => Judged,
): { memory: Memory; judged: Judged }[] {
  const results: { memory: Memory; judged: Judged }[] = []
  const ends = new Map(MEMORIES.map(memory => [withinMemory(earlier, memory).length, memory]))
  const sums = emptyWeightedSums(dimension)
  for (const [index, epoch] of earlier.entries()) {
    addWeighted(sums, epoch, 1)
    const memory = index + 1 === earlier.length ? MEMORIES[0]! : ends.get(index + 1)
    if (memory !== undefined) results.unshift({ memory, judged: judge(sums) })
  }
  return results
}

/** Predictions of one memory for the latest epochs, and how wrong they are. */
interface Judged {
  values: Float64Array
  /** Sum of squared errors. */
  error: number
  /** Variance of a reward around a prediction. */
  noise: number
  /** Sum of the squared differences to other predictions. */
  distanceTo(values: Float64Array): number
}

function judgeLinear(truth: WeightedSums): (sums: WeightedSums) => Judged {
  return sums => {
    const { coefficients: values } = fitCoefficients(sums)
    const error = squaredError(truth, values)
    return {
      values,
      error,
      noise: Math.max(0, error) / truth.outcomes,
      distanceTo: others =>
        quadraticForm(
          truth.matrix,
          values.map((value, index) => value - others[index]!),
        ),
    }
  }
}

function judgeContents(truth: WeightedSums): (sums: WeightedSums) => Judged {
  const tallies = [...truth.contents].flatMap(([id, { positions }]) =>
    [...positions].map(([position, [views, rewards, squares]]) => ({
      id,
      position,
      views,
      rewards: rewards / REWARD_SCALE,
      squares: squares / REWARD_SCALE,
    })),
  )
  const all = tallies.reduce((sum, { views }) => sum + views, 0)
  return sums => {
    const contents = readContents(sums)
    const { rateOf } = contentRates(contents)
    const values = Float64Array.from(tallies, ({ id, position }) => rateOf(id) * contents.attention[position]!)
    const error = tallies.reduce((sum, { views, rewards, squares }, index) => {
      const value = values[index]!
      return sum + squares - 2 * value * rewards + views * value * value
    }, 0)
    return {
      values,
      error,
      noise: Math.max(0, error) / all,
      distanceTo: others =>
        tallies.reduce((sum, { views }, index) => sum + views * (values[index]! - others[index]!) ** 2, 0),
    }
  }
}

function viewsOf({ sums: { contents } }: Epoch): number {
  let views = 0
  for (const { positions } of contents.values()) for (const [n] of positions.values()) views += n
  return views
}

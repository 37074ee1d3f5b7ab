import { type Epoch, type Epochs, latestFirst } from '../epochs/epochs.js'
import { readContents } from './content-model.js'
import { contentError, contentRates } from './content-rates.js'
import { fitCoefficients, quadraticForm, squaredError } from './linear-model.js'
import { addWeighted, emptyWeightedSums, type WeightedSums, weighEpochs } from './weighted-sums.js'

/** How far back a model looks, in outcomes. */
export type Memory = number

/** Memories that are tried, the longest first: everything, down to the last few hundred. */
export const MEMORIES: readonly Memory[] = [Number.POSITIVE_INFINITY, 3_200, 800, 240]

/** Latest outcomes that memories have to predict. */
const JUDGED = 160

/** Standard deviations by which a shorter memory has to predict better: in a stable world, luck alone must not win. */
const MARGIN = 1

/** Returns the epochs with the latest outcomes, as many as a memory holds. Epochs are in or out whole. */
export function withinMemory(epochs: readonly Epoch[], memory: Memory): Epoch[] {
  let outcomes = 0
  return epochs.filter(epoch => {
    const isWithin = outcomes < memory
    outcomes += viewsOf(epoch)
    return isWithin
  })
}

/**
 * Returns the memory by which the latest epochs would have been predicted best from those before them, so that a stable world
 * is remembered and a taste that turned is followed.
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

/** Judges each memory that is shorter than all there is, and all there is, the longest first. */
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

/** Predictions of one memory for the epochs that are judged. */
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
  const { byId, total } = readContents(truth)
  const ids = [...byId.keys()]
  return sums => {
    const rates = contentRates(readContents(sums))
    const values = Float64Array.from(ids, id => rates.rateOf(id))
    const error = contentError(byId, rates)
    return {
      values,
      error,
      noise: Math.max(0, error) / Math.max(1, total.views),
      distanceTo: others =>
        ids.reduce((sum, id, index) => sum + byId.get(id)!.views * (values[index]! - others[index]!) ** 2, 0),
    }
  }
}

function viewsOf({ sums: { contents } }: Epoch): number {
  let views = 0
  for (const { positions } of contents.values()) for (const [n] of positions.values()) views += n
  return views
}

import { type Estimate, estimateOf, meanOf } from './interval.js'
import type { Predictions } from './reward-model.js'

/** Values of a policy by row, each with its 95 % interval. See docs/evaluation.md. */
export interface Estimates {
  ips: Estimate
  snips: Estimate
  dm: Estimate
  dr: Estimate
  switchDr: Estimate
  /** IPS with clipped weights, where asked for. */
  clipped?: Estimate
}

/** Columns that estimates are made from, of the same rows. */
export interface EstimateInput extends Predictions {
  reward: Float64Array
  weight: Float64Array
  decision: ArrayLike<number>
  /** Largest weight of `clipped`. Default: it is left out. */
  clip?: number | undefined
}

/** Estimates what the policy would have earned with a row. */
export function estimateValues(input: EstimateInput): Estimates {
  const { reward, weight, shown, target, decision, clip } = input
  // Ionides 2008: bias vanishes faster than noise.
  const limit = Math.sqrt(reward.length)
  const corrected = (row: number) => target[row]! + weight[row]! * (reward[row]! - shown[row]!)
  const estimates: Estimates = {
    ips: meanEstimate(reward, decision, row => weight[row]! * reward[row]!),
    snips: selfNormalized(input),
    dm: modelled(input),
    dr: meanEstimate(reward, decision, corrected),
    switchDr: meanEstimate(reward, decision, row => (weight[row]! <= limit ? corrected(row) : target[row]!)),
  }
  if (clip !== undefined)
    estimates.clipped = meanEstimate(reward, decision, row => Math.min(weight[row]!, clip) * reward[row]!)
  return estimates
}

function meanEstimate(rows: Float64Array, decision: ArrayLike<number>, termOf: (row: number) => number): Estimate {
  const terms = rows.map((_, row) => termOf(row))
  const value = meanOf(terms)
  return estimateOf(
    value,
    terms.map(term => term - value),
    decision,
  )
}

/** Estimates the ratio of two means, by the delta method. */
function selfNormalized({ reward, weight, decision }: EstimateInput): Estimate {
  const size = meanOf(weight)
  const value = size > 0 ? meanOf(reward.map((r, row) => weight[row]! * r)) / size : 0
  const influence = reward.map((r, row) => (size > 0 ? (weight[row]! * (r - value)) / size : 0))
  return estimateOf(value, influence, decision)
}

/** Estimates by the direct method: its uncertainty is that of the model's means, and of the sample of situations. */
function modelled({ reward, shown, target, leverage, decision }: EstimateInput): Estimate {
  const value = meanOf(target)
  const influence = reward.map((r, row) => target[row]! - value + leverage[row]! * (r - shown[row]!))
  return estimateOf(value, influence, decision)
}

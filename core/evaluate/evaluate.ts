import type { DecisionLog, Lot, RowRange } from './decision-log.js'
import { type Estimates, estimateValues } from './estimate.js'
import { meanOf, standardError } from './interval.js'
import { type Diagnostics, type Refusal, refuseEstimates, refuseReliance } from './refusal.js'
import { predictRewards } from './reward-model.js'
import { type Weights, weighRows } from './weights.js'

/** Value of a policy by a log of what another one showed, and how far it can be relied on. */
export interface Evaluation {
  /** Rewards of a row. Null: the log has nothing to estimate them from. */
  estimates: Estimates | null
  diagnostics: Diagnostics
  refused: Refusal | null
}

/**
 * Values a policy by what another one showed. Sources of all formulas: docs/evaluation.md.
 *
 * @param lots of each situation of the log: what the policy would do there
 * @param options `clip`: largest weight of the estimate `clipped`, which is left out without it
 */
export function evaluateLots(
  log: DecisionLog,
  range: RowRange,
  lots: readonly Lot[],
  options: { clip?: number | undefined } = {},
): Evaluation {
  const weights = weighRows(log, range, lots)
  const diagnostics = diagnose(weights)
  const nothing = refuseEstimates(diagnostics)
  if (nothing) return { estimates: null, diagnostics, refused: nothing }
  const estimates = estimateValues({
    ...predictRewards(log, range, lots),
    reward: log.reward.subarray(range.from, range.to),
    weight: weights.weight,
    decision: weights.decision,
    clip: options.clip,
  })
  return { estimates, diagnostics, refused: refuseReliance(diagnostics, estimates) ?? null }
}

function diagnose({ weight, decision, ...others }: Weights): Diagnostics {
  let sum = 0
  let squares = 0
  let maxWeight = 0
  for (const w of weight) {
    sum += w
    squares += w * w
    if (w > maxWeight) maxWeight = w
  }
  const meanWeight = meanOf(weight)
  const error = standardError(
    weight.map(w => w - meanWeight),
    decision,
  )
  // A single decision does not tell it.
  const weightError = decision[0] === decision.at(-1) ? Number.POSITIVE_INFINITY : error
  const ess = squares > 0 ? (sum * sum) / squares : 0
  return { rows: weight.length, ess, maxWeight, meanWeight, weightError, ...others }
}

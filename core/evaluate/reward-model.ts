import type { DecisionLog, Lot, RowRange } from './decision-log.js'

/** Parts of the rows: each is predicted by what the others say. */
export const FOLDS = 2

/** Rows with the overall mean that each cell of the model is assumed to have had. */
const PRIOR_ROWS = 2

/** Predictions of rewards, of no row by itself. */
export interface Predictions {
  /** Expected reward of the action shown, of each row. */
  shown: Float64Array
  /** Expected reward of the policy's actions, of each row. */
  target: Float64Array
  /** Effect of each row's reward on the mean of `target`, times the number of rows. */
  leverage: Float64Array
}

/** Sums of one fold by cell: an action at a position. */
interface Fold {
  rows: Float64Array
  rewards: Float64Array
  mean: number
  total: number
}

/**
 * Predicts rewards by the mean of an action at a position, drawn towards the overall mean, and cross-fitted: the rows
 * of even decisions are predicted by those of odd ones, and the other way round.
 */
export function predictRewards(log: DecisionLog, range: RowRange, lots: readonly Lot[]): Predictions {
  const { from, to } = range
  const count = to - from
  const folds = Array.from({ length: FOLDS }, (_, fold) => sumFold(log, range, fold))
  const means = folds.map(meansOf)
  const masses = folds.map(({ rows }) => new Float64Array(rows.length))
  const expected = new Float64Array(log.situations.length * FOLDS)
  for (const [situation, lot] of lots.entries())
    for (let fold = 0; fold < FOLDS; fold++)
      expected[situation * FOLDS + fold] = expectedOf(lot, offsetOf(log, situation), means[fold]!)
  const uses = new Float64Array(log.situations.length * FOLDS)
  const predictions: Predictions = {
    shown: new Float64Array(count),
    target: new Float64Array(count),
    leverage: new Float64Array(count),
  }
  for (let row = from; row < to; row++) {
    const situation = log.situation[row]!
    const teacher = otherFold(log.decision[row]!)
    uses[situation * FOLDS + teacher]!++
    predictions.shown[row - from] = means[teacher]![offsetOf(log, situation) + log.action[row]!]!
    predictions.target[row - from] = expected[situation * FOLDS + teacher]!
  }
  for (const [situation, lot] of lots.entries())
    for (let fold = 0; fold < FOLDS; fold++)
      addMass(masses[fold]!, lot, offsetOf(log, situation), uses[situation * FOLDS + fold]!)
  const shared = folds.map((fold, index) => sharedLeverage(fold, masses[index]!))
  for (let row = from; row < to; row++) {
    const fold = log.decision[row]! % FOLDS
    const cell = offsetOf(log, log.situation[row]!) + log.action[row]!
    predictions.leverage[row - from] = masses[fold]![cell]! / (folds[fold]!.rows[cell]! + PRIOR_ROWS) + shared[fold]!
  }
  return predictions
}

function otherFold(decision: number): number {
  return (decision + 1) % FOLDS
}

function offsetOf(log: DecisionLog, situation: number): number {
  return log.situations[situation]!.position * log.ids.length
}

function sumFold(log: DecisionLog, { from, to }: RowRange, fold: number): Fold {
  const cells = log.positions * log.ids.length
  const sums: Fold = { rows: new Float64Array(cells), rewards: new Float64Array(cells), mean: 0, total: 0 }
  let rewards = 0
  for (let row = from; row < to; row++) {
    if (log.decision[row]! % FOLDS !== fold) continue
    const cell = offsetOf(log, log.situation[row]!) + log.action[row]!
    sums.rows[cell]!++
    sums.rewards[cell]! += log.reward[row]!
    sums.total++
    rewards += log.reward[row]!
  }
  if (sums.total > 0) sums.mean = rewards / sums.total
  return sums
}

function meansOf({ rows, rewards, mean }: Fold): Float64Array {
  return rows.map((count, cell) => (rewards[cell]! + PRIOR_ROWS * mean) / (count + PRIOR_ROWS))
}

function expectedOf({ actions, chances }: Lot, offset: number, means: Float64Array): number {
  let sum = 0
  for (let place = 0; place < actions.length; place++) sum += chances[place]! * means[offset + actions[place]!]!
  return sum
}

function addMass(mass: Float64Array, { actions, chances }: Lot, offset: number, uses: number): void {
  if (uses === 0) return
  for (let place = 0; place < actions.length; place++) mass[offset + actions[place]!]! += uses * chances[place]!
}

/** Returns how much any reward of a fold moves the predictions through the fold's overall mean. */
function sharedLeverage({ rows, total }: Fold, mass: Float64Array): number {
  let sum = 0
  for (let cell = 0; cell < mass.length; cell++) sum += (mass[cell]! * PRIOR_ROWS) / (rows[cell]! + PRIOR_ROWS)
  return total > 0 ? sum / total : 0
}

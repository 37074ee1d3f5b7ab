import { DEFAULT_ALPHA, type SequenceOptions, sequenceBound, sequencePValue } from './sequences/sequence.js'

/** Sums over the units of an arm of what each earned, so that days and partitions can be added. */
export interface ArmSums {
  units: number
  sum: number
  /** Sum of the squares; equals `sum` for rewards of 0 or 1. */
  squares: number
}

/** A number with its confidence interval, which holds at every look at once. */
export interface Estimate {
  value: number
  low: number
  high: number
}

/** An estimate of how one arm compares with another. */
export interface Lift extends Estimate {
  /** Valid at every look at once. */
  pValue: number
  isSignificant: boolean
}

/** Options of comparisons. */
export interface LiftOptions extends SequenceOptions {
  /** Units of each arm below which there is no estimate. Default `LEAST_UNITS` */
  least?: number | undefined
}

/** Units of each arm from which on sequences are valid: they assume that a mean is normal. */
export const LEAST_UNITS = 100

/** Returns the mean per unit of an arm, and the variance of that mean. */
export function meanOf({ units, sum, squares }: ArmSums): { mean: number; variance: number } {
  const mean = sum / units
  const spread = units > 1 ? Math.max(0, squares - units * mean * mean) / (units - 1) : 0
  return { mean, variance: spread / units }
}

/** Adds up sums of the same arm. */
export function addSums(a: ArmSums, b: ArmSums): ArmSums {
  return {
    units: a.units + b.units,
    sum: a.sum + b.sum,
    squares: a.squares + b.squares,
  }
}

/** Tells whether all sums are finite numbers. From JSON they may also be null. */
export function isFiniteSums({ units, sum, squares }: ArmSums): boolean {
  return [units, sum, squares].every(Number.isFinite)
}

/**
 * Returns the mean of one arm with its interval; undefined below the least number of units, and where sums are not
 * finite. Where all units earned the same, as nothing in an arm without events, the variance is that of one more unit
 * that earned otherwise: 0, or 1 where all earned 0. So the interval has a width, of the order of the rule of three.
 */
export function estimateOf(arm: ArmSums, options: LiftOptions = {}): Estimate | undefined {
  if (isUnfit(arm, options)) return undefined
  const { mean, variance } = meanOf(arm)
  // Not 0: rounding leaves something of equal numbers.
  const error = variance > 1e-12 * mean * mean ? Math.sqrt(variance) : Math.abs(mean || 1) / arm.units
  const reach = error * sequenceBound(arm.units, options)
  return { value: mean, low: mean - reach, high: mean + reach }
}

/** Returns by how much an arm's mean is above the control's; undefined below the least number of units. */
export function differenceOf(arm: ArmSums, control: ArmSums, options: LiftOptions = {}): Lift | undefined {
  if (isUnfit(arm, options) || isUnfit(control, options)) return undefined
  const ofArm = meanOf(arm)
  const ofControl = meanOf(control)
  return liftOf(ofArm.mean - ofControl.mean, ofArm.variance + ofControl.variance, arm.units + control.units, options)
}

/**
 * Returns the relative lift, mean / mean of the control − 1, by the delta method: its variance is v / m₀² + m² v₀ /
 * m₀⁴, with the means m and their variances v, and m taken to be m₀ at least. Otherwise an arm of which few or no
 * events came yet, by chance, would seem certain to be worse: the less it has, the less its variance. Undefined below
 * the least number of units, and where the control's mean is not above 0.
 */
export function relativeLiftOf(arm: ArmSums, control: ArmSums, options: LiftOptions = {}): Lift | undefined {
  if (isUnfit(arm, options) || isUnfit(control, options)) return undefined
  const ofArm = meanOf(arm)
  const ofControl = meanOf(control)
  if (!(ofControl.mean > 0)) return undefined
  const ratio = ofArm.mean / ofControl.mean
  const variance = (ofArm.variance + Math.max(1, ratio) ** 2 * ofControl.variance) / ofControl.mean ** 2
  return liftOf(ratio - 1, variance, arm.units + control.units, options)
}

/** Returns the error rate of each of several comparisons with which all together have `alpha` (Bonferroni). */
export function alphaOfEach(comparisons: number, alpha = DEFAULT_ALPHA): number {
  return alpha / Math.max(1, comparisons)
}

function isUnfit(arm: ArmSums, { least = LEAST_UNITS }: LiftOptions): boolean {
  return arm.units < least || !isFiniteSums(arm)
}

function liftOf(value: number, variance: number, units: number, options: SequenceOptions): Lift {
  const error = Math.sqrt(variance)
  const reach = error * sequenceBound(units, options)
  const pValue = error > 0 ? sequencePValue(value / error, units, options) : 1
  return { value, low: value - reach, high: value + reach, pValue, isSignificant: error > 0 && Math.abs(value) > reach }
}

import { DEFAULT_ALPHA, type SequenceOptions, sequenceBound, sequencePValue } from './sequences/sequence.js'

/** What the units of an arm earned: sums, so that days and partitions add up. */
export interface ArmSums {
  units: number
  sum: number
  /** Sum of the squares. Of rewards that are 0 or 1, the same as `sum`. */
  squares: number
}

/** A number with the interval in which the truth is, whatever the day of the look. */
export interface Estimate {
  value: number
  low: number
  high: number
}

/** An estimate of how one arm compares with another. */
export interface Lift extends Estimate {
  /** Holds at every look at once. */
  pValue: number
  isSignificant: boolean
}

/** How a comparison is made. */
export interface LiftOptions extends SequenceOptions {
  /** Units of each arm below which nothing is said. Default `LEAST_UNITS` */
  least?: number | undefined
}

/** Units of each arm from which on sequences say something: they take a mean to be normal. */
export const LEAST_UNITS = 100

/** Mean of an arm, and the variance of that mean. */
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

/** Whether sums are numbers that something follows from. Of JSON, what is none is null. */
export function isFiniteSums({ units, sum, squares }: ArmSums): boolean {
  return [units, sum, squares].every(Number.isFinite)
}

/**
 * Returns the mean of one arm with its interval; undefined below the least number of units, and where sums are not
 * finite.
 */
export function estimateOf(arm: ArmSums, options: LiftOptions = {}): Estimate | undefined {
  if (isUnfit(arm, options)) return undefined
  const { mean, variance } = meanOf(arm)
  const reach = Math.sqrt(variance) * sequenceBound(arm.units, options)
  return { value: mean, low: mean - reach, high: mean + reach }
}

/** Returns by how much an arm's mean is above that of another one; undefined below the least number of units. */
export function differenceOf(arm: ArmSums, control: ArmSums, options: LiftOptions = {}): Lift | undefined {
  if (isUnfit(arm, options) || isUnfit(control, options)) return undefined
  const ofArm = meanOf(arm)
  const ofControl = meanOf(control)
  return liftOf(ofArm.mean - ofControl.mean, ofArm.variance + ofControl.variance, arm.units + control.units, options)
}

/**
 * Returns the relative lift, mean / mean of the control − 1, by the delta method: its variance is v / m₀² + m² v₀ /
 * m₀⁴, with the means m and their variances v. Undefined below the least number of units, and where the control's mean
 * is not above 0.
 */
export function relativeLiftOf(arm: ArmSums, control: ArmSums, options: LiftOptions = {}): Lift | undefined {
  if (isUnfit(arm, options) || isUnfit(control, options)) return undefined
  const ofArm = meanOf(arm)
  const ofControl = meanOf(control)
  if (!(ofControl.mean > 0)) return undefined
  const variance = ofArm.variance / ofControl.mean ** 2 + (ofArm.mean ** 2 * ofControl.variance) / ofControl.mean ** 4
  return liftOf(ofArm.mean / ofControl.mean - 1, variance, arm.units + control.units, options)
}

/** The share of mistakes that each of several arms may have, so that all together keep to `alpha` (Bonferroni). */
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

import { normalBelow } from '../algebra/normal.js'
import { DEFAULT_ALPHA, type SequenceOptions, sequenceBound } from './sequences/sequence.js'

/** The effect that an experiment should detect, and the rates that it is planned with. */
export interface PowerQuestion extends Pick<SequenceOptions, 'alpha'> {
  /**
   * Mean per unit of the control. Without `variance`, it is the share of units with a reward, above 0 and below 1.
   */
  baseRate: number
  /** Variance per unit, for amounts. Default: that of a share */
  variance?: number | undefined
  /** Relative effect to be detected, such as 0.02. */
  effect: number
  /** New units per day, of both arms. */
  unitsPerDay: number
  /** Chance to detect it. Default 0.8 */
  power?: number
  /** Share of the units that are not in the control. Default 0.5 */
  share?: number
}

/** How long an experiment takes. */
export interface PowerAnswer {
  /** Units of both arms. The sequence must be tuned to them (`tunedTo`). */
  units: number
  days: number
}

/** Longest experiment that has an answer, in units. */
const MOST_UNITS = 1e15

/**
 * Returns how many units, and so how many days, it takes to detect an effect, although the result is looked at every
 * day. A sequence that is tuned to these units excludes zero by then with the chance `power`; often earlier.
 *
 * @throws RangeError where the question has no answer
 */
export function powerOf(question: PowerQuestion): PowerAnswer {
  const { baseRate, variance, effect, unitsPerDay, power = 0.8, share = 0.5, alpha = DEFAULT_ALPHA } = question
  const rate = baseRate * (1 + effect)
  const most = variance === undefined ? 1 : Number.POSITIVE_INFINITY
  if (!(baseRate > 0 && baseRate < most && rate > 0 && rate < most && effect !== 0))
    throw new RangeError('baseRate, and the rate with the effect, must be above 0 and below 1, and effect not 0')
  if (!(unitsPerDay > 0 && power > 0 && power < 1 && share > 0 && share < 1))
    throw new RangeError('unitsPerDay must be above 0, power and share above 0 and below 1')
  // Variance of the relative lift, times the units, as `relativeLiftOf` has it.
  const ratio = rate / baseRate
  const [ofArm, ofControl] = [variance ?? rate * (1 - rate), variance ?? baseRate * (1 - baseRate)]
  const spread = ofArm / share / baseRate ** 2 + (Math.max(1, ratio) ** 2 * ofControl) / (1 - share) / baseRate ** 2
  // A sequence that is tuned to its own length has the same width at its end, in standard errors, for any length.
  const bound = sequenceBound(1, { alpha, tunedTo: 1 })
  const needed = ((bound + normalAbove(1 - power)) / effect) ** 2 * spread
  const units = Math.ceil(needed)
  if (!(units < MOST_UNITS)) throw new RangeError('the effect is too small to be found')
  return { units, days: Math.ceil(units / unitsPerDay) }
}

/** Returns the z that a standard normal number exceeds with the probability `share`, by bisection. */
export function normalAbove(share: number): number {
  let low = -8
  let high = 8
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2
    if (1 - normalBelow(middle) > share) low = middle
    else high = middle
  }
  return (low + high) / 2
}

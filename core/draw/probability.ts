/**
 * Units of a probability: the draw takes 30 random bits, so that a candidate with n units is drawn by exactly n of 2^30
 * equally likely numbers, and what is recorded is no rounded copy of what was drawn by.
 */
export const PROBABILITY_SCALE = 2 ** 30

/**
 * Returns probabilities in units of `PROBABILITY_SCALE`, which sum up to it. Each is rounded down, and what is left
 * over goes to the first of the largest. Of those above 0 each keeps at least one unit.
 *
 * @param probabilities not negative, with the sum 1 up to rounding; not empty
 */
export function toUnits(probabilities: ArrayLike<number>): number[] {
  const units = new Array<number>(probabilities.length)
  let largest = 0
  let sum = 0
  for (let index = 0; index < units.length; index++) {
    const p = probabilities[index]!
    const unit = p > 0 ? Math.max(1, Math.floor(p * PROBABILITY_SCALE)) : 0
    units[index] = unit
    sum += unit
    if (unit > units[largest]!) largest = index
  }
  units[largest] = units[largest]! + PROBABILITY_SCALE - sum
  return units
}

/**
 * Returns the index that a random number draws.
 *
 * @param units sum up to `PROBABILITY_SCALE`
 * @param random in [0, 1), of 30 random bits or more
 */
export function pickUnit(units: readonly number[], random: number): number {
  const point = Math.floor(random * PROBABILITY_SCALE)
  let end = 0
  for (let index = 0; index < units.length; index++) {
    end += units[index]!
    if (point < end) return index
  }
  throw new RangeError(`probabilities sum up to ${end} of ${PROBABILITY_SCALE} units`)
}

/**
 * Units of a reward: a ten-thousandth, so that cents are exact. Sums are whole numbers of it, because only whole
 * numbers can be added in any order and taken away again without a trace.
 */
export const REWARD_SCALE = 10_000

/**
 * The largest reward of one decision, either way: nine million of them are an exact sum. Sums of squares have no bound.
 */
export const MAX_REWARD = 100_000

/**
 * Returns a reward in units of `REWARD_SCALE`, rounded once.
 *
 * @throws RangeError beyond `MAX_REWARD`, or where it is no number
 */
export function toFixedReward(reward: number): number {
  if (!(Math.abs(reward) <= MAX_REWARD))
    throw new RangeError(`a reward must be a number from -${MAX_REWARD} to ${MAX_REWARD}, not ${reward}`)
  const fixed = Math.round(reward * REWARD_SCALE)
  return fixed === 0 ? 0 : fixed
}

/**
 * Returns the square of a fixed reward, in units of `REWARD_SCALE` again, rounded once. It is wide because sums of
 * squares are: 360 orders of 50,000 are more than a number holds exactly.
 */
export function fixedSquare(fixed: number): bigint {
  return BigInt(Math.round((fixed / REWARD_SCALE) * fixed))
}

/**
 * Adds two whole numbers.
 *
 * @throws RangeError where the sum is not exact: beyond 2^53
 */
export function addExactly(a: number, b: number): number {
  const sum = a + b
  if (!Number.isSafeInteger(sum)) throw new RangeError(`a sum of ${a} and ${b} is beyond what is exact`)
  return sum === 0 ? 0 : sum
}

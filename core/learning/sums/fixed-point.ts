/**
 * Fixed-point units per reward of 1: rewards are whole ten-thousandths, so that cents are exact, and sums can be added
 * in any order and subtracted again without a trace.
 */
export const REWARD_SCALE = 10_000

/**
 * Largest absolute reward of one decision: the sum of nine million of them is exact. Sums of squares have no limit.
 */
export const MAX_REWARD = 100_000

/**
 * Converts a reward to units of `REWARD_SCALE`, rounded.
 *
 * @throws RangeError beyond `MAX_REWARD`, or if it is NaN
 */
export function toFixedReward(reward: number): number {
  if (!(Math.abs(reward) <= MAX_REWARD))
    throw new RangeError(`a reward must be a number from -${MAX_REWARD} to ${MAX_REWARD}, not ${reward}`)
  const fixed = Math.round(reward * REWARD_SCALE)
  return fixed === 0 ? 0 : fixed
}

/**
 * Returns the square of a fixed-point reward, in units of `REWARD_SCALE`, rounded. A bigint, because sums of squares
 * exceed exact numbers: 360 orders of 50,000 do.
 */
export function fixedSquare(fixed: number): bigint {
  return BigInt(Math.round((fixed / REWARD_SCALE) * fixed))
}

/**
 * Adds two whole numbers. Never returns -0.
 *
 * @throws RangeError where the sum is not exact: beyond 2^53
 */
export function addExactly(a: number, b: number): number {
  const sum = a + b
  if (!Number.isSafeInteger(sum)) throw new RangeError(`a sum of ${a} and ${b} is beyond what is exact`)
  return sum === 0 ? 0 : sum
}

/**
 * How far a quotient may be from a whole number, as a share of it: some units in the last place of what division and
 * the sums of a shop leave over.
 */
const NOISE = 1e-14

/**
 * Tells whether a number is a multiple of another as people write them: 19.99 is one of 0.01, although the quotient of
 * the two binary fractions is 1998.9999999999998.
 *
 * @param step above 0
 */
export function isMultipleOf(value: number, step: number): boolean {
  if (value % step === 0) return true
  const quotient = value / step
  return Math.abs(Math.round(quotient) - quotient) <= Math.abs(quotient) * NOISE
}

/** Units of a number in a sum: a millionth. Sums of such integers are exact, so that their order does not matter. */
export const UNITS = 1_000_000

/** Greatest amount of one contribution; a larger one is none. */
export const MAX_AMOUNT = 1e9

/** A sum in units: as text of digits where it is beyond the integers that a number holds exactly. */
export type ExactSum = number | string

/** Returns a number in units, each rounded once; undefined where it is not finite or too large. */
export function unitsOf(amount: number): number | undefined {
  return Math.abs(amount) <= MAX_AMOUNT ? Math.round(amount * UNITS) + 0 : undefined
}

/** Adds two sums exactly. */
export function addExact(a: ExactSum, b: ExactSum): ExactSum {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b
    if (Number.isSafeInteger(sum)) return sum
  }
  const sum = BigInt(a) + BigInt(b)
  const asNumber = Number(sum)
  return Number.isSafeInteger(asNumber) ? asNumber : sum.toString()
}

/** Returns the number that a sum represents. */
export function amountOf(sum: ExactSum): number {
  return Number(sum) / UNITS
}

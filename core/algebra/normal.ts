/** Half of the range that is tabulated: beyond it, Φ is 0 or 1 to 15 digits. */
const RANGE = 8
const STEPS_PER_UNIT = 128
const STEPS = 2 * RANGE * STEPS_PER_UNIT
const STEP = 1 / STEPS_PER_UNIT

const DENSITY = Float64Array.from({ length: STEPS + 1 }, (_, index) => density(index * STEP - RANGE))
const BELOW = cumulate()

/** Returns the density of the standard normal distribution. */
export function density(z: number): number {
  return Math.exp(-0.5 * z * z) * 0.3989422804014327
}

/**
 * Returns the probability that a standard normal number is below z, to 1e-10: a cubic through tabulated values and slopes.
 * A quadrature asks for thousands of them in a decision.
 */
export function normalBelow(z: number): number {
  const place = (z + RANGE) * STEPS_PER_UNIT
  if (!(place > 0)) return 0
  if (place >= STEPS) return 1
  const index = Math.floor(place)
  const t = place - index
  const left = BELOW[index]!
  const rise = BELOW[index + 1]! - left
  const slope = DENSITY[index]! * STEP
  const nextSlope = DENSITY[index + 1]! * STEP
  return left + t * (slope + t * (3 * rise - 2 * slope - nextSlope + t * (slope + nextSlope - 2 * rise)))
}

/**
 * Returns the density of the standard normal distribution to 1e-11, quicker than `density`: a cubic through tabulated values and
 * their slopes, which are -z times them.
 */
export function densityAt(z: number): number {
  const place = (z + RANGE) * STEPS_PER_UNIT
  if (!(place > 0) || place >= STEPS) return 0
  const index = Math.floor(place)
  const t = place - index
  const left = DENSITY[index]!
  const rise = DENSITY[index + 1]! - left
  const slope = (RANGE - index * STEP) * STEP * left
  const nextSlope = (RANGE - (index + 1) * STEP) * STEP * DENSITY[index + 1]!
  return left + t * (slope + t * (3 * rise - 2 * slope - nextSlope + t * (slope + nextSlope - 2 * rise)))
}

/** Simpson's rule within each step of the table, whose error is below 1e-15. */
function cumulate(): Float64Array {
  const below = new Float64Array(STEPS + 1)
  for (let index = 0; index < STEPS; index++) {
    const middle = density((index + 0.5) * STEP - RANGE)
    below[index + 1] = below[index]! + ((DENSITY[index]! + 4 * middle + DENSITY[index + 1]!) * STEP) / 6
  }
  return below
}

/** Returns a standard normal number from two uniform ones (Box and Muller 1958). */
export function normalFrom(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

/** Half of the range that is tabulated: beyond it, Φ is 0 or 1 to 15 digits. */
const RANGE = 8
const STEPS_PER_UNIT = 128
const STEPS = 2 * RANGE * STEPS_PER_UNIT
const STEP = 1 / STEPS_PER_UNIT

/** Coefficients of the cubics of a step. */
const COEFFICIENTS = 8

const DENSITY = Float64Array.from({ length: STEPS + 1 }, (_, index) => density(index * STEP - RANGE))
const BELOW = cumulate()

/**
 * The cubics of each step, worked out once: four coefficients of Φ, then four of the density. What is asked of a step
 * is together, as a processor's cache has it.
 */
const CUBICS = cubics()

/** Returns the density of the standard normal distribution. */
export function density(z: number): number {
  return Math.exp(-0.5 * z * z) * 0.3989422804014327
}

/**
 * Returns the probability that a standard normal number is below z, to 1e-10: a cubic through tabulated values and
 * slopes. A quadrature asks for thousands of them in a decision.
 */
export function normalBelow(z: number): number {
  const place = (z + RANGE) * STEPS_PER_UNIT
  if (!(place > 0)) return 0
  if (place >= STEPS) return 1
  const index = Math.floor(place)
  return cubicAt(COEFFICIENTS * index, place - index)
}

/** Probability that is taken as 0: what a quadrature sums up of less changes no digit that is kept of a chance. */
const NEGLIGIBLE = 1e-25

/**
 * Returns the probability that independent normal numbers are all below t, and writes down that of each and its density
 * there, in units of its deviation: to 1e-10 and 1e-11, as cubics through tabulated values and slopes. Where the
 * probability is next to nothing, it returns 0 and leaves out the rest: of many numbers a few tell that.
 *
 * @param precisions one over each deviation
 */
export function allBelow(
  t: number,
  means: Float64Array,
  precisions: Float64Array,
  below: Float64Array,
  densities: Float64Array,
): number {
  let all = 1
  for (let i = 0; i < means.length; i++) {
    const place = ((t - means[i]!) * precisions[i]! + RANGE) * STEPS_PER_UNIT
    if (!(place > 0)) return 0
    if (place >= STEPS) {
      below[i] = 1
      densities[i] = 0
      continue
    }
    // Not Math.floor: as a 32-bit number it is an index without being converted.
    const index = place | 0
    const step = place - index
    const at = COEFFICIENTS * index
    below[i] = cubicAt(at, step)
    all *= below[i]!
    if (all < NEGLIGIBLE) return 0
    densities[i] = cubicAt(at + 4, step)
  }
  return all
}

function cubicAt(at: number, step: number): number {
  return CUBICS[at]! + step * (CUBICS[at + 1]! + step * (CUBICS[at + 2]! + step * CUBICS[at + 3]!))
}

function cubics(): Float64Array {
  const all = new Float64Array(COEFFICIENTS * STEPS)
  for (let index = 0; index < STEPS; index++) {
    const [left, right] = [BELOW[index]!, BELOW[index + 1]!]
    const [density, nextDensity] = [DENSITY[index]!, DENSITY[index + 1]!]
    const slope = density * STEP
    const nextSlope = nextDensity * STEP
    // The slope of the density is -z times it.
    const z = index * STEP - RANGE
    all.set(cubic(left, right - left, slope, nextSlope), COEFFICIENTS * index)
    all.set(
      cubic(density, nextDensity - density, -z * slope, -(z + STEP) * nextSlope),
      COEFFICIENTS * index + COEFFICIENTS / 2,
    )
  }
  return all
}

/**
 * Returns the coefficients of the cubic over a step that begins at `left` with `slope`, and ends `rise` above it with
 * `nextSlope`.
 */
function cubic(left: number, rise: number, slope: number, nextSlope: number): number[] {
  return [left, slope, 3 * rise - 2 * slope - nextSlope, slope + nextSlope - 2 * rise]
}

/** Integrates by Simpson's rule within each step of the table, whose error is below 1e-15. */
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
  return boxMuller(random(), random())
}

/** Returns the standard normal number of two uniform ones in [0, 1): the length of one, the direction of the other. */
export function boxMuller(first: number, second: number): number {
  return Math.sqrt(-2 * Math.log(1 - first)) * Math.cos(2 * Math.PI * second)
}

/** Steps of each of the two uniform numbers, for which it is tabulated what no number of them exceeds. */
const BOUND_STEPS = 256

/** Length that no number with 53 bits exceeds. */
const LONGEST = 8.6

/** More than the bounds lose when they are rounded and multiplied. */
const SLACK = 1 + 1e-12

const LENGTHS = Float64Array.from(
  { length: BOUND_STEPS },
  (_, step) => SLACK * Math.min(LONGEST, Math.sqrt(-2 * Math.log(1 - (step + 1) / BOUND_STEPS))),
)

/** The larger cosine of both ends, and not below 0: then the product is a bound however short the length is. */
const COSINES = Float64Array.from({ length: BOUND_STEPS }, (_, step) =>
  Math.max(0, ...[step, step + 1].map(end => Math.cos((2 * Math.PI * end) / BOUND_STEPS))),
)

/** Returns what `boxMuller` of the same numbers does not exceed, in a tenth of its time. */
export function boxMullerAtMost(first: number, second: number): number {
  return LENGTHS[(BOUND_STEPS * first) | 0]! * COSINES[(BOUND_STEPS * second) | 0]!
}

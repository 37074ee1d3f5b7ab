import { addExactly } from './fixed-point.js'

/** A vector of whole numbers, most of them zero: indices that rise, and their values. */
export interface SparseVector {
  indices: readonly number[]
  values: readonly number[]
}

/** The part of the sums that tells of rewards. */
export interface RewardSums {
  /** b, in units of `REWARD_SCALE`. */
  vector: Map<number, number>
  /** Sum of the squares of rewards: the error of any coefficients follows from it. */
  squares: bigint
}

/**
 * Sums of a linear model over hashed features: A = Σ x xᵀ and b = Σ r x. Features are small whole numbers and rewards
 * fixed-point ones, so both are whole. Nothing in them is zero.
 */
export interface LinearSums extends RewardSums {
  /** Lower triangle of A, by `triangleIndex`. */
  matrix: Map<number, number>
  outcomes: number
}

/** Returns the sums before the first outcome. */
export function emptyLinearSums(): LinearSums {
  return { matrix: new Map(), vector: new Map(), outcomes: 0, squares: 0n }
}

/** Returns where the lower triangle holds a row and column, the row being at least the column. */
export function triangleIndex(row: number, column: number): number {
  return (row * (row + 1)) / 2 + column
}

/**
 * Adds an outcome, or takes it away.
 *
 * @param reward,square in units of `REWARD_SCALE`
 * @param sign -1 takes away what was added before
 * @throws RangeError where a sum would not be exact
 */
export function addToLinear(sums: LinearSums, x: SparseVector, reward: number, square: bigint, sign: 1 | -1): void {
  const { indices, values } = x
  for (let i = 0; i < indices.length; i++) {
    const row = indices[i]!
    const scaled = sign * values[i]!
    for (let j = 0; j <= i; j++) addAt(sums.matrix, triangleIndex(row, indices[j]!), scaled * values[j]!)
  }
  sums.outcomes = addExactly(sums.outcomes, sign)
  addToRewards(sums, x, reward, square, sign)
}

/** Adds the reward of an outcome, or takes it away: see `addToLinear`. */
export function addToRewards(
  sums: RewardSums,
  { indices, values }: SparseVector,
  reward: number,
  square: bigint,
  sign: 1 | -1,
): void {
  if (reward !== 0) for (const [at, index] of indices.entries()) addAt(sums.vector, index, sign * values[at]! * reward)
  sums.squares += BigInt(sign) * square
}

/** Adds sums to others of the same hash. */
export function mergeLinearSums(into: LinearSums, from: LinearSums): void {
  for (const [index, value] of from.matrix) addAt(into.matrix, index, value)
  into.outcomes = addExactly(into.outcomes, from.outcomes)
  mergeRewards(into, from)
}

/** Adds sums of rewards to others of the same hash. */
export function mergeRewards(into: RewardSums, from: RewardSums): void {
  for (const [index, value] of from.vector) addAt(into.vector, index, value)
  into.squares += from.squares
}

function addAt(sums: Map<number, number>, index: number, value: number): void {
  const sum = addExactly(sums.get(index) ?? 0, value)
  if (sum === 0) sums.delete(index)
  else sums.set(index, sum)
}

import { addExactly } from './fixed-point.js'

/** A vector of whole numbers, most of them zero: ascending indices, and their values. */
export interface SparseVector {
  indices: readonly number[]
  values: readonly number[]
}

/** The part of linear sums that depends on rewards. */
export interface RewardSums {
  /** b = Σ r x, in units of `REWARD_SCALE`. */
  vector: Map<number, number>
  /** Σ r², in units of `REWARD_SCALE`, from which the error of any coefficients can be computed. */
  squares: bigint
}

/**
 * Sums of a linear model over hashed features: A = Σ x xᵀ and b = Σ r x. Features are small whole numbers and rewards
 * fixed-point ones, so all sums are whole. Zeros are not stored.
 */
export interface LinearSums extends RewardSums {
  /** Lower triangle of A, by `triangleIndex`. */
  matrix: Map<number, number>
  outcomes: number
}

/** Returns empty sums. */
export function emptyLinearSums(): LinearSums {
  return { matrix: new Map(), vector: new Map(), outcomes: 0, squares: 0n }
}

/** Returns the index of an entry in a lower triangle stored row by row. `row` must be at least `column`. */
export function triangleIndex(row: number, column: number): number {
  return (row * (row + 1)) / 2 + column
}

/**
 * Adds an outcome, or subtracts it.
 *
 * @param reward,square in units of `REWARD_SCALE`
 * @param sign -1: subtracts what was added before
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

/** Adds the reward of an outcome, or subtracts it, see `addToLinear`. */
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

/** Adds sums to others over the same hashed features. */
export function mergeLinearSums(into: LinearSums, from: LinearSums): void {
  for (const [index, value] of from.matrix) addAt(into.matrix, index, value)
  into.outcomes = addExactly(into.outcomes, from.outcomes)
  mergeRewards(into, from)
}

/** Adds sums of rewards to others over the same hashed features. */
export function mergeRewards(into: RewardSums, from: RewardSums): void {
  for (const [index, value] of from.vector) addAt(into.vector, index, value)
  into.squares += from.squares
}

function addAt(sums: Map<number, number>, index: number, value: number): void {
  const sum = addExactly(sums.get(index) ?? 0, value)
  if (sum === 0) sums.delete(index)
  else sums.set(index, sum)
}

/** A vector as a list of places and values. A place that comes twice adds up. */
export interface SparseList {
  count: number
  indices: Int32Array
  values: Float64Array
}

/** Places that are gone through at a time. */
const AT_ONCE = 4

/** Places that a list must have room for beyond its own. */
export const PADDING = AT_ONCE - 1

/**
 * Fills a list up with values of 0, so that it can be gone through four places at a time: what is summed up stays what
 * it is.
 */
export function pad(list: SparseList): void {
  for (; list.count % AT_ONCE > 0; list.count++) {
    list.indices[list.count] = 0
    list.values[list.count] = 0
  }
}

/**
 * Returns xᵀ A x + 2 bᵀ x.
 *
 * Of each place of x, the products with those before it are summed up. Four such sums are taken along at a time: the
 * next number of a sum has to wait for the one before it, and meanwhile the others go on. Each adds up the same numbers
 * in the same order as it would alone, so that the result is the same to the last bit.
 *
 * @param matrix A, symmetric, row by row
 * @param width of a row
 * @param b undefined: 0
 * @param list x, padded
 */
export function sparseQuadratic(
  matrix: Float64Array,
  width: number,
  b: Float64Array | undefined,
  { count, indices, values }: SparseList,
): number {
  let sum = 0
  for (let i = 0; i < count; i += AT_ONCE) {
    // One by one: of a list that is taken apart the engine makes the list.
    const p = indices[i]!
    const q = indices[i + 1]!
    const r = indices[i + 2]!
    const s = indices[i + 3]!
    const rowP = p * width
    const rowQ = q * width
    const rowR = r * width
    const rowS = s * width
    let offP = b ? b[p]! : 0
    let offQ = b ? b[q]! : 0
    let offR = b ? b[r]! : 0
    let offS = b ? b[s]! : 0
    for (let j = 0; j < i; j++) {
      const place = indices[j]!
      const value = values[j]!
      offP += matrix[rowP + place]! * value
      offQ += matrix[rowQ + place]! * value
      offR += matrix[rowR + place]! * value
      offS += matrix[rowS + place]! * value
    }
    const x = values[i]!
    const y = values[i + 1]!
    const z = values[i + 2]!
    const w = values[i + 3]!
    offQ += matrix[rowQ + p]! * x
    offR = offR + matrix[rowR + p]! * x + matrix[rowR + q]! * y
    offS = offS + matrix[rowS + p]! * x + matrix[rowS + q]! * y + matrix[rowS + r]! * z
    sum += x * (2 * offP + matrix[rowP + p]! * x)
    sum += y * (2 * offQ + matrix[rowQ + q]! * y)
    sum += z * (2 * offR + matrix[rowR + r]! * z)
    sum += w * (2 * offS + matrix[rowS + s]! * w)
  }
  return sum
}

/**
 * Replaces a symmetric positive definite matrix, whose lower triangle is read, by its Cholesky factor L, with A = L Lᵀ:
 * the lower triangle, row by row. What is above the diagonal is left as it was and never read.
 *
 * @param matrix n × n, row by row
 * @throws RangeError where the matrix is not positive definite: a penalty on the diagonal that is too small
 */
export function factorCholesky(matrix: Float64Array, n: number): void {
  for (let row = 0; row < n; row++) {
    const start = row * n
    for (let column = 0; column <= row; column++) {
      const other = column * n
      let sum = matrix[start + column]!
      for (let k = 0; k < column; k++) sum -= matrix[start + k]! * matrix[other + k]!
      if (column < row) matrix[start + column] = sum / matrix[other + column]!
      else if (sum > 0) matrix[start + row] = Math.sqrt(sum)
      else throw new RangeError(`the matrix is not positive definite at row ${row} of ${n}: use a larger penalty`)
    }
  }
}

/** Returns x with A x = b, from the Cholesky factor of A. */
export function solveCholesky(factor: Float64Array, n: number, b: Float64Array): Float64Array {
  const x = Float64Array.from(b)
  for (let row = 0; row < n; row++) {
    let sum = x[row]!
    for (let k = 0; k < row; k++) sum -= factor[row * n + k]! * x[k]!
    x[row] = sum / factor[row * n + row]!
  }
  for (let row = n - 1; row >= 0; row--) {
    const value = x[row]! / factor[row * n + row]!
    x[row] = value
    for (let k = 0; k < row; k++) x[k] = x[k]! - factor[row * n + k]! * value
  }
  return x
}

/**
 * Returns the inverse of A, whole, from its Cholesky factor: the rows of L⁻¹ first, then L⁻ᵀ L⁻¹. Both loops run along
 * rows, which is what a processor's cache is good at: 1,682 rows take seconds, not a quarter of a minute.
 */
export function invertCholesky(factor: Float64Array, n: number): Float64Array {
  const lower = new Float64Array(n * n)
  for (let row = 0; row < n; row++) {
    const start = row * n
    for (let k = 0; k < row; k++) {
      const scale = factor[start + k]!
      if (scale !== 0) addRow(lower, start, k * n, k + 1, -scale)
    }
    const pivot = factor[start + row]!
    for (let column = 0; column < row; column++) lower[start + column] = lower[start + column]! / pivot
    lower[start + row] = 1 / pivot
  }
  const inverse = new Float64Array(n * n)
  for (let k = 0; k < n; k++)
    for (let row = 0; row <= k; row++) {
      const scale = lower[k * n + row]!
      if (scale === 0) continue
      const start = row * n
      for (let column = 0; column <= row; column++)
        inverse[start + column] = inverse[start + column]! + scale * lower[k * n + column]!
    }
  for (let row = 0; row < n; row++)
    for (let column = 0; column < row; column++) inverse[column * n + row] = inverse[row * n + column]!
  return inverse
}

/** Adds `scale` times a row to another one, of which the first `length` values are not zero. */
function addRow(matrix: Float64Array, to: number, from: number, length: number, scale: number): void {
  for (let column = 0; column < length; column++)
    matrix[to + column] = matrix[to + column]! + scale * matrix[from + column]!
}

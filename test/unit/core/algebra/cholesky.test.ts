import { describe, expect, it } from 'vitest'
import { factorCholesky, invertCholesky, solveCholesky } from '#core/algebra/cholesky.js'
import { seededRandom } from '#core/decide/random.js'

/** A symmetric positive definite matrix. */
function someMatrix(n: number): Float64Array {
  const random = seededRandom(`matrix ${n}`)
  const root = Array.from({ length: n }, () => Array.from({ length: n }, () => random() - 0.5))
  return Float64Array.from({ length: n * n }, (_, at) => {
    const [row, column] = [Math.floor(at / n), at % n]
    return root.reduce((sum, line) => sum + line[row]! * line[column]!, row === column ? 1 : 0)
  })
}

describe.each([1, 2, 17, 60])('the Cholesky factor of a matrix of %d rows', n => {
  const matrix = someMatrix(n)
  const factor = Float64Array.from(matrix)
  factorCholesky(factor, n)

  it('gives the inverse', () => {
    const inverse = invertCholesky(factor, n)
    for (let row = 0; row < n; row++)
      for (let column = 0; column < n; column++) {
        let sum = 0
        for (let k = 0; k < n; k++) sum += matrix[row * n + k]! * inverse[k * n + column]!
        expect(sum).toBeCloseTo(row === column ? 1 : 0, 9)
        expect(inverse[row * n + column]).toBe(inverse[column * n + row])
      }
  })

  it('solves', () => {
    const b = Float64Array.from({ length: n }, (_, index) => index - 3)
    const x = solveCholesky(factor, n, b)
    for (let row = 0; row < n; row++) {
      let sum = 0
      for (let k = 0; k < n; k++) sum += matrix[row * n + k]! * x[k]!
      expect(sum).toBeCloseTo(b[row]!, 9)
    }
  })
})

it('refuses a matrix that is not positive definite, and says what helps', () => {
  expect(() => factorCholesky(Float64Array.of(1, 2, 2, 1), 2)).toThrow(/row 1 of 2: use a larger penalty/)
})

import { expect, it } from 'vitest'
import { PADDING, pad, sparseQuadratic } from '#core/algebra/sparse-quadratic.js'
import { seededRandom } from '#core/decide/random.js'

/** One place after the other, as the formula says. */
function oneByOne(matrix: Float64Array, width: number, b: Float64Array | undefined, places: number[], x: number[]) {
  let sum = 0
  for (const [i, place] of places.entries()) {
    let off = b?.[place] ?? 0
    for (let j = 0; j < i; j++) off += matrix[place * width + places[j]!]! * x[j]!
    sum += x[i]! * (2 * off + matrix[place * width + place]! * x[i]!)
  }
  return sum
}

it('a quadratic form of few places is the same to the last bit as one place after the other', () => {
  const random = seededRandom('quadratic')
  const width = 16
  for (let count = 0; count < 40; count++) {
    const matrix = new Float64Array(width * width)
    for (let row = 0; row < width; row++)
      for (let column = 0; column <= row; column++) {
        const value = random() - 0.5
        matrix[row * width + column] = value
        matrix[column * width + row] = value
      }
    const b = count % 3 === 0 ? undefined : Float64Array.from({ length: width }, () => random() - 0.5)
    // Many places come twice.
    const places = Array.from({ length: count }, () => Math.floor(random() * width))
    const x = places.map(() => [-2, -1, 1, 2][Math.floor(random() * 4)]!)
    const room = Array.from({ length: PADDING }, () => 1)
    const list = { count, indices: Int32Array.from([...places, ...room]), values: Float64Array.from([...x, ...room]) }
    pad(list)
    expect(sparseQuadratic(matrix, width, b, list)).toBe(oneByOne(matrix, width, b, places, x))
  }
})

import { seededRandom } from '@slotstream/core'
import { CATEGORY_COUNT, CELLS, type WorldRequest } from '../simulator/world.js'
import type { Player } from './players.js'

/** Deviation of the posterior in units of the textbook: that of a reward. */
const DEVIATION = 0.4

/**
 * Plays by linear Thompson sampling (Agrawal and Goyal 2013) as textbooks have it: one draw of all coefficients for a
 * request, an update after each, everything remembered. It is told what tastes depend on: a feature for each cell and
 * category, and one for each item.
 *
 * @param items that the world makes, at most
 */
export function linTsPlayer(seed: string, items: number): Player {
  const random = seededRandom(`linTs\0${seed}`)
  const cells = CELLS * CATEGORY_COUNT
  const size = cells + items
  // (I + Σ x xᵀ)⁻¹, kept by the formula of Sherman and Morrison, and Σ r x.
  const inverse = Float64Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0))
  const rewards = new Float64Array(size)
  const featuresOf = ({ truth }: WorldRequest, index: number) => [
    truth.cell * CATEGORY_COUNT + truth.categories[index]!,
    cells + truth.items[index]!,
  ]
  return {
    choose(request) {
      const places = request.items.map((_, index) => featuresOf(request, index))
      const used = [...new Set(places.flat())]
      const draw = drawCoefficients(inverse, rewards, size, used, random)
      let best = 0
      let most = Number.NEGATIVE_INFINITY
      for (const [index, features] of places.entries()) {
        const value = features.reduce((sum, feature) => sum + draw.get(feature)!, 0)
        if (value > most) {
          best = index
          most = value
        }
      }
      return best
    },
    learn(request, chosen, reward) {
      const features = featuresOf(request, chosen)
      const column = Float64Array.from({ length: size }, (_, i) =>
        features.reduce((sum, feature) => sum + inverse[i * size + feature]!, 0),
      )
      const scale = 1 + features.reduce((sum, feature) => sum + column[feature]!, 0)
      for (let i = 0; i < size; i++)
        for (let j = 0; j < size; j++) inverse[i * size + j]! -= (column[i]! * column[j]!) / scale
      for (const feature of features) rewards[feature]! += reward
    },
  }
}

/** Draws the coefficients of some features from their joint posterior, by the Cholesky factor of its covariance. */
function drawCoefficients(
  inverse: Float64Array,
  rewards: Float64Array,
  size: number,
  used: readonly number[],
  random: () => number,
): Map<number, number> {
  const n = used.length
  const factor = new Float64Array(n * n)
  const normals = used.map(() => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()))
  const draw = new Map<number, number>()
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = inverse[used[i]! * size + used[j]!]!
      for (let k = 0; k < j; k++) sum -= factor[i * n + k]! * factor[j * n + k]!
      factor[i * n + j] = i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / factor[j * n + j]!
    }
    let value = 0
    for (let j = 0; j < size; j++) value += inverse[used[i]! * size + j]! * rewards[j]!
    for (let k = 0; k <= i; k++) value += DEVIATION * factor[i * n + k]! * normals[k]!
    draw.set(used[i]!, value)
  }
  return draw
}

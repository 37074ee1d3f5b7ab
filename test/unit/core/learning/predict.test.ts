import { describe, expect, it } from 'vitest'
import { seededRandom } from '#core/decide/random.js'
import { addOutcome, emptyEpochs } from '#core/learning/epochs/epochs.js'
import { crossFacts, featuresOf } from '#core/learning/features/cross.js'
import { facetTableOf } from '#core/learning/features/facet-table.js'
import { predict } from '#core/learning/model/predict.js'
import { readModel } from '#core/learning/model/slot-model.js'
import type { SparseVector } from '#core/learning/sums/linear-sums.js'

describe('predictions', () => {
  it('are those of the features as they were trained with: θᵀx and σ² xᵀ(A + λ)⁻¹x', () => {
    const random = seededRandom('predict')
    const now = Date.UTC(2026, 0, 1)
    const epochs = emptyEpochs(now)
    const contents = Array.from({ length: 9 }, (_, n) => ({ id: `c${n}`, category: `k${n % 3}`, tags: ['a', `t${n}`] }))
    const factsOf = (n: number) =>
      crossFacts({ context: { a: n % 3, b: n % 2 === 0 }, affinities: { k1: 1 + (n % 2) } })
    for (let n = 0; n < 300; n++) {
      const content = contents[n % 9]!
      const reward = random() < 0.3 ? 10_000 : 0
      const features = featuresOf(factsOf(n), content, 1, 64)
      addOutcome(epochs, { contentId: content.id, at: now, position: 1, reward, segments: [], features })
    }
    const linear = readModel(epochs, { dimension: 64, trendHalfLifeMs: 1_000 }).linear!
    const { means, variances } = predict(linear, factsOf(4), facetTableOf(contents), [...contents.keys()])
    for (const [index, content] of contents.entries()) {
      const x: SparseVector = featuresOf(factsOf(4), content, 1, 64)
      let [mean, variance] = [0, 0]
      for (const [i, row] of x.indices.entries()) {
        mean += linear.coefficients[row]! * x.values[i]!
        for (const [j, column] of x.indices.entries())
          variance += linear.noise * x.values[i]! * x.values[j]! * linear.inverse[row * 64 + column]!
      }
      expect(means[index]).toBeCloseTo(mean, 10)
      expect(variances[index]).toBeCloseTo(variance, 10)
    }
  })
})

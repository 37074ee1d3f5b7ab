import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chances, draw } from '#core/decide/draw.js'
import { seededRandom } from '#core/decide/random.js'

const scored = fc
  .array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 6 })
  .map(scores => scores.map((score, index) => ({ contentId: `c${index}`, score: score / 3 })))
const share = fc.integer({ min: 0, max: 10 }).map(tenths => tenths / 10)

describe('the chances', () => {
  it('sum to 1 and are highest for the best', () => {
    fc.assert(
      fc.property(scored, share, (candidates, exploration) => {
        const probabilities = chances(candidates, exploration)
        expect(probabilities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 9)
        const best = Math.max(...candidates.map(({ score }) => score))
        const highest = Math.max(...probabilities)
        for (const [index, { score }] of candidates.entries())
          if (score === best) expect(probabilities[index]).toBe(highest)
      }),
      { seed: 1 },
    )
  })

  it('are ε/n, and (1−ε)/ties more for the best', () => {
    const candidates = [1, 0, 1, 0].map((score, index) => ({ contentId: `c${index}`, score }))
    const probabilities = chances(candidates, 0.2)
    for (const [index, expected] of [0.45, 0.05, 0.45, 0.05].entries())
      expect(probabilities[index]).toBeCloseTo(expected, 12)
  })
})

describe('a draw', () => {
  it('shows each item once, and is the same for the same seed', () => {
    fc.assert(
      fc.property(scored, share, fc.integer({ min: 1, max: 8 }), fc.uuid(), (candidates, exploration, count, seed) => {
        const drawn = draw(candidates, exploration, count, seededRandom(seed))
        expect(drawn).toEqual(draw(candidates, exploration, count, seededRandom(seed)))
        expect(drawn.contentIds).toHaveLength(Math.min(count, candidates.length))
        expect(new Set(drawn.contentIds).size).toBe(drawn.contentIds.length)
        for (const propensity of drawn.propensities) expect(propensity).toBeGreaterThan(0)
      }),
      { seed: 2 },
    )
  })

  it('draws every slate as often as its logged propensities say', () => {
    fc.assert(
      fc.property(scored, share, fc.integer({ min: 1, max: 2 }), fc.nat(), (candidates, exploration, count, run) => {
        const draws = 2_000
        const seen = new Map<string, { times: number; chance: number }>()
        for (let i = 0; i < draws; i++) {
          const { contentIds, propensities } = draw(candidates, exploration, count, seededRandom(`${run}-${i}`))
          const slate = seen.get(contentIds.join()) ?? {
            times: 0,
            chance: propensities.reduce((product, p) => product * p, 1),
          }
          slate.times++
          seen.set(contentIds.join(), slate)
        }
        let chiSquare = 0
        let rest = { times: draws, chance: 1 }
        let cells = 0
        for (const { times, chance } of seen.values()) {
          // Cells with few expected draws make the statistic unreliable; together they are one cell.
          if (chance * draws < 10) continue
          chiSquare += (times - chance * draws) ** 2 / (chance * draws)
          rest = { times: rest.times - times, chance: rest.chance - chance }
          cells++
        }
        if (rest.chance * draws >= 10) {
          chiSquare += (rest.times - rest.chance * draws) ** 2 / (rest.chance * draws)
          cells++
        } else expect(rest.times).toBeLessThan(40)
        // Five standard deviations above the mean of the distribution with `cells − 1` degrees of freedom.
        const freedom = Math.max(1, cells - 1)
        expect(chiSquare).toBeLessThan(freedom + 5 * Math.sqrt(2 * freedom) + 3)
      }),
      { seed: 3, numRuns: 60 },
    )
  })

  it('says whether it explored', () => {
    const candidates = [
      { contentId: 'best', score: 1 },
      { contentId: 'other', score: 0 },
    ]
    for (let i = 0; i < 50; i++) {
      const drawn = draw(candidates, 0.5, 1, seededRandom(`s${i}`))
      expect(drawn.explored).toBe(drawn.contentIds[0] === 'other')
    }
  })
})

describe('seeded random numbers', () => {
  it('stay what they are, so that old records can be drawn again', () => {
    const random = seededRandom('0197d0f4-6f1a-7000-8000-000000000000')
    expect([random(), random(), random()]).toMatchInlineSnapshot(`
      [
        0.561567101161927,
        0.1934973739553243,
        0.9667930635623634,
      ]
    `)
  })

  it('are spread evenly, over many families of seeds that differ little', () => {
    const families = ['seed', ...Array.from({ length: 19 }, (_, family) => `0197d0f4-${family}`)]
    let chiSquare = 0
    for (const family of families) {
      const counts = Array.from({ length: 10 }, () => 0)
      for (let i = 0; i < 10_000; i++) counts[Math.floor(seededRandom(`${family}-${i}`)() * 10)]!++
      chiSquare += counts.reduce((sum, count) => sum + (count - 1_000) ** 2 / 1_000, 0)
    }
    // Nine degrees of freedom a family; a single family may well stray, all together may not.
    const freedom = 9 * families.length
    expect(Math.abs(chiSquare - freedom)).toBeLessThan(4 * Math.sqrt(2 * freedom))
  })
})

import type { PolicySpec } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { choose } from '#core/decide/choose.js'
import { seededRandom } from '#core/decide/random.js'
import { drawSlate } from '#core/draw/draw-slate.js'
import { chancesOf } from '#core/draw/lottery.js'
import { PROBABILITY_SCALE } from '#core/draw/probability.js'
import { gramOf } from '#core/learning/items/gram.js'
import { addItems, emptyItemCounts } from '#core/learning/items/item-counts.js'
import type { ItemModel } from '#core/learning/items/item-model.js'
import type { ProposalInput } from '#core/policies/proposal.js'
import { propose } from '#core/policies/propose.js'
import { covisitationModel } from '#core/policies/ranking/covisitation.js'
import { easeModel } from '#core/policies/ranking/ease.js'
import { knnModel } from '#core/policies/ranking/knn.js'
import { CONTENTS, createLearningSlot, inputOf } from './some-learning.js'

const DRAWS = 100_000
const person = { personId: 'anna', affinities: { hats: 2, bags: 1 }, segments: ['rich'], items: ['shoes0', 'hats2'] }
const slot = createLearningSlot()
for (let n = 0; n < 120; n++) {
  const index = n % CONTENTS.length
  const context = { daypart: n % 2 === 0 ? 'morning' : 'afternoon' }
  slot.learn({ person, context }, CONTENTS[index]!, n % (index + 2) === 0 ? 1 : 0, 1 + (n % 3))
}
const model = slot.read()
const counts = emptyItemCounts()
for (const items of [
  ['shoes0', 'hats2', 'bags3'],
  ['hats2', 'bags3'],
  ['shoes1', 'shoes0'],
  ['toys4', 'bags3'],
])
  addItems(counts, items, 1)
const gram = gramOf(counts)

const cases: [string, PolicySpec | undefined, ItemModel?][] = [
  ['default', undefined],
  ['fixed', { type: 'fixed', contentIds: ['bags3', 'gone', 'shoes0'] }],
  ['random', { type: 'random' }],
  ['weighted', { type: 'weighted' }],
  ['popular', { type: 'popular' }],
  ['popular in segments', { type: 'popular', bySegment: true }],
  ['trending', { type: 'trending', bySegment: true }],
  ['affinity', { type: 'affinity', exploration: 0.3 }],
  ['affinity × popularity', { type: 'affinity', exploration: 0.3, popularity: true }],
  ['covisitation', { type: 'covisitation' }, covisitationModel(gram)],
  ['knn', { type: 'knn' }, knnModel(gram)],
  ['ease', { type: 'ease' }, easeModel(gram)],
  ['thompson', { type: 'thompson' }],
  ['thompson with a prior', { type: 'thompson', prior: { successes: 1, failures: 9 } }],
  ['contextual', { type: 'contextual' }],
  ['contextual by gaps', { type: 'contextual', draw: 'gaps' }],
  ['contextual by samples', { type: 'contextual', draw: 'samples' }],
  [
    'ensemble',
    {
      type: 'ensemble',
      policies: [
        { share: 1, policy: { type: 'random' } },
        { share: 2, policy: { type: 'ensemble', policies: [{ share: 1, policy: { type: 'thompson' } }] } },
      ],
    },
  ],
]

/** Draws of lists of so many degrees of freedom differ more from their chances than this once in 100,000 times. */
function mostChiSquare(freedom: number): number {
  return freedom * (1 - 2 / (9 * freedom) + 4.265 * Math.sqrt(2 / (9 * freedom))) ** 3
}

/** Chi-square of draws against chances, those that are rarely expected taken together. */
function chiSquare(observed: ReadonlyMap<string, number>, expected: ReadonlyMap<string, number>, draws: number) {
  let [sum, freedom, rareSeen, rareExpected] = [0, -1, 0, 0]
  for (const [key, chance] of expected) {
    const mean = chance * draws
    const seen = observed.get(key) ?? 0
    if (mean < 8) {
      rareSeen += seen
      rareExpected += mean
      continue
    }
    sum += (seen - mean) ** 2 / mean
    freedom++
  }
  if (rareExpected >= 1) {
    sum += (rareSeen - rareExpected) ** 2 / rareExpected
    freedom++
  } else expect(rareSeen).toBeLessThan(8)
  return { sum, freedom }
}

describe.each(cases)('draws of %s', (_name, policy, items) => {
  const input = (fields: Partial<ProposalInput>) =>
    inputOf({ person, context: { daypart: 'morning' }, model, items, exploration: 0.05, ...fields })

  // The first position of a slate is drawn as a single one is, unless the policy has another lottery for one.
  const { rule } = propose(policy, input({ count: 1 })).lottery
  const counts = rule === propose(policy, input({ count: 3 })).lottery.rule ? [3] : [1, 3]
  it.each(counts)('have the frequencies that are logged, for %d positions', count => {
    const { candidates, lottery } = propose(policy, input({ count }))
    const random = seededRandom('draws')
    const observed = new Map<string, number>()
    const expected = new Map<string, number>()
    for (let n = 0; n < DRAWS; n++) {
      const { drawn, propensities } = drawSlate(lottery, candidates.length, count, random)
      const key = drawn.join()
      const seen = observed.get(key)
      observed.set(key, (seen ?? 0) + 1)
      if (seen === undefined)
        expected.set(
          key,
          propensities.reduce((p, units) => p * (units / PROBABILITY_SCALE), 1),
        )
    }
    for (const key of observed.keys()) expect(new Set(key.split(',')).size).toBe(key.split(',').length)
    // Slates that were never drawn have what is left of the chance.
    const unseen = 1 - [...expected.values()].reduce((sum, chance) => sum + chance, 0)
    expect(unseen).toBeGreaterThan(-1e-9)
    expect(unseen).toBeLessThan(0.001)
    const { sum, freedom } = chiSquare(observed, expected, DRAWS)
    if (freedom > 0) expect(sum).toBeLessThan(mostChiSquare(freedom))
  })

  it('have chances that sum up to one, of which the first is that of the candidate', () => {
    const { lottery, candidates } = propose(policy, input({}))
    const all = [...candidates.keys()]
    const sum = chancesOf(lottery, all).reduce((total, units) => total + units, 0)
    expect(sum).toBe(PROBABILITY_SCALE)
    const choice = choose(policy, input({ seed: 'x' }))
    const place = choice.candidates.findIndex(index => CONTENTS[index]!.id === choice.contentIds[0])
    expect(choice.propensities[0]).toBe(choice.probabilities[place])
  })

  it('are repeated from lottery and seed alone, as JSON has them', () => {
    for (const count of [1, 3]) {
      const choice = choose(policy, input({ count, seed: 'again' }))
      const recorded = JSON.parse(JSON.stringify(choice)) as typeof choice
      const slate = drawSlate(recorded.lottery, recorded.candidates.length, count, seededRandom('again'))
      expect(slate.propensities).toEqual(choice.propensities)
      expect(slate.drawn.map(index => CONTENTS[choice.candidates[index]!]!.id)).toEqual(choice.contentIds)
      expect(choose(policy, input({ count, seed: 'again' }))).toEqual(choice)
    }
  })

  it('are none where nothing is eligible', () => {
    expect(choose(policy, input({ eligible: [] }))).toMatchObject({
      contentIds: [],
      propensities: [],
      probabilities: [],
    })
  })
})

describe('an ensemble', () => {
  const policies = [
    { share: 1, policy: { type: 'random' as const } },
    { share: 3, policy: { type: 'popular' as const } },
  ]

  it('gives each policy its share of persons, each always the same', () => {
    let second = 0
    for (let n = 0; n < 2_000; n++) {
      const who = { personId: `p${n}` }
      const { arms } = propose({ type: 'ensemble', policies }, inputOf({ person: who }))
      expect(propose({ type: 'ensemble', policies }, inputOf({ person: who, seed: 'other' })).arms).toEqual(arms)
      second += arms![0]!
    }
    expect(second / 2_000).toBeGreaterThan(0.71)
    expect(second / 2_000).toBeLessThan(0.79)
  })
})

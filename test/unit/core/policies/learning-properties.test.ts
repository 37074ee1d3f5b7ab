import type { PolicySpec } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { choose } from '#core/decide/choose.js'
import { seededRandom } from '#core/decide/random.js'
import { PROBABILITY_SCALE } from '#core/draw/probability.js'
import type { SlotModel } from '#core/learning/model/slot-model.js'
import type { EligibleContent, ProposalInput } from '#core/policies/proposal.js'
import { createLearningSlot, inputOf } from './some-learning.js'

const LEARNING: [string, PolicySpec | undefined][] = [
  ['thompson', { type: 'thompson' }],
  ['contextual', { type: 'contextual' }],
  ['default', undefined],
]
const AB: EligibleContent[] = [
  { id: 'A', category: '' },
  { id: 'B', category: '' },
]

/** Shows and learns, with a new model every few decisions. */
function run(
  policy: PolicySpec | undefined,
  decisions: number,
  requestOf: (n: number) => Partial<ProposalInput>,
  rewardOf: (contentId: string, n: number) => number,
) {
  const slot = createLearningSlot()
  let model: SlotModel | undefined
  return Array.from({ length: decisions }, (_, n) => {
    if (n % 20 === 0) model = slot.read()
    const input = inputOf({ person: { personId: `p${n}` }, model, seed: `s${n}`, ...requestOf(n) })
    const choice = choose(policy, input)
    for (const [index, id] of choice.contentIds.entries())
      slot.learn(input, input.eligible.find(content => content.id === id)!, rewardOf(id, n), index + 1)
    return choice
  })
}

describe.each(LEARNING)('%s', (_name, policy) => {
  it('shows what is always clicked to 500 visitors, and hardly what never is', () => {
    const choices = run(
      policy,
      500,
      () => ({ eligible: AB }),
      id => (id === 'A' ? 1 : 0),
    )
    const last = choices.slice(400)
    expect(last.filter(({ contentIds }) => contentIds[0] === 'A').length).toBeGreaterThan(90)
    for (const { probabilities } of last) {
      expect(probabilities[0]).toBeGreaterThan(0.95 * PROBABILITY_SCALE)
      expect(probabilities[1]).toBeGreaterThan(0.0099 * PROBABILITY_SCALE)
    }
  })

  it('follows a taste that turns within a few hundred decisions', () => {
    const random = seededRandom('turn')
    const best = (n: number) => (n < 1_500 ? 'A' : 'B')
    const choices = run(
      policy,
      2_300,
      () => ({ eligible: AB }),
      (id, n) => (random() < (id === best(n) ? 0.5 : 0.1) ? 1 : 0),
    )
    const share = (from: number, to: number, id: string) =>
      choices.slice(from, to).filter(({ contentIds }) => contentIds[0] === id).length / (to - from)
    expect(share(1_000, 1_500, 'A')).toBeGreaterThan(0.93)
    expect(share(2_000, 2_300, 'B')).toBeGreaterThan(0.9)
  })

  it('tries what is new', () => {
    const random = seededRandom('new')
    const eligible = (n: number) => (n < 600 ? AB : [...AB, { id: 'C', category: '' }])
    const chance: Record<string, number> = { A: 0.2, B: 0.05, C: 0.6 }
    const choices = run(
      policy,
      1_000,
      n => ({ eligible: eligible(n) }),
      id => (random() < chance[id]! ? 1 : 0),
    )
    expect(choices.slice(800).filter(({ contentIds }) => contentIds[0] === 'C').length).toBeGreaterThan(180)
  })

  it('fills a slate with the best first, none twice', () => {
    const eligible = ['a', 'b', 'c', 'd', 'e'].map(id => ({ id, category: id }))
    const chance: Record<string, number> = { a: 0.6, b: 0.4, c: 0.1, d: 0.05, e: 0.05 }
    const random = seededRandom('slate')
    const choices = run(
      policy,
      800,
      () => ({ eligible, count: 2 }),
      id => (random() < chance[id]! ? 1 : 0),
    )
    const last = choices.slice(600)
    expect(last.filter(({ contentIds }) => contentIds.join() === 'a,b').length).toBeGreaterThan(160)
  })

  it('draws uniformly for a newcomer before anything has been learned', () => {
    const { probabilities } = choose(policy, inputOf())
    for (const units of probabilities) expect(units / PROBABILITY_SCALE).toBeCloseTo(0.2, 6)
  })
})

describe.each(LEARNING.slice(1))('%s', (_name, policy) => {
  it('tells Anna in the morning from Anna in the afternoon, which nothing declares', () => {
    const persons = [
      { personId: 'anna', traits: { plan: 'pro' } },
      { personId: 'ben', traits: { plan: 'free' } },
    ]
    const requestOf = (n: number) => ({
      eligible: AB,
      person: persons[n % 2]!,
      context: { daypart: n % 4 < 2 ? 'morning' : 'afternoon', visit: n % 7 },
    })
    const random = seededRandom('anna')
    const wanted = (n: number) => (n % 2 === (n % 4 < 2 ? 0 : 1) ? 'A' : 'B')
    const choices = run(policy, 1_200, requestOf, (id, n) => (random() < (id === wanted(n) ? 0.6 : 0.1) ? 1 : 0))
    const right = choices.filter(({ contentIds }, n) => n >= 900 && contentIds[0] === wanted(n)).length
    expect(right).toBeGreaterThan(255)
  })
})

describe('default', () => {
  it('begins with the category that the visitor is interested in', () => {
    const { probabilities } = choose(undefined, inputOf({ person: { personId: 'p', affinities: { hats: 3 } } }))
    const most = Math.max(...probabilities)
    expect(probabilities.indexOf(most)).toBe(2)
    expect(most).toBeGreaterThan(0.4 * PROBABILITY_SCALE)
  })
})

describe('popularity', () => {
  it('does not mistake a bad position for bad content', () => {
    const slot = createLearningSlot()
    const random = seededRandom('positions')
    const contents = ['x', 'y', 'z'].map(id => ({ id, category: '' }))
    const input = inputOf({ eligible: contents })
    // z is the best, and nearly always at the bottom, where visitors rarely look.
    for (let n = 0; n < 3_000; n++) {
      const order = n % 20 === 0 ? ['z', 'x', 'y'] : n % 2 === 0 ? ['x', 'y', 'z'] : ['y', 'x', 'z']
      for (const [index, id] of order.entries()) {
        const rate = { x: 0.2, y: 0.2, z: 0.35 }[id]! * [1, 0.5, 0.1][index]!
        slot.learn(input, contents.find(content => content.id === id)!, random() < rate ? 1 : 0, index + 1)
      }
    }
    const { scores } = choose({ type: 'popular' }, { ...input, model: slot.read() })
    expect(scores[2]).toBeGreaterThan(1.3 * Math.max(scores[0]!, scores[1]!))
  })
})

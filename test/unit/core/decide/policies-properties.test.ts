import type { Content, PolicySpec, Slot } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { decide } from '#core/decide/decide.js'
import { personOfProfile } from '#core/decide/person.js'
import { recompute } from '#core/decide/recompute.js'
import { unpackReasons } from '#core/decide/record/pack-reasons.js'
import { gramOf } from '#core/learning/items/gram.js'
import { addItems, emptyItemCounts } from '#core/learning/items/item-counts.js'
import { covisitationModel } from '#core/policies/ranking/covisitation.js'
import { easeModel } from '#core/policies/ranking/ease.js'
import { knnModel } from '#core/policies/ranking/knn.js'
import { addInterests } from '#core/profile/affinities.js'
import { applyMessage } from '#core/profile/apply-message.js'
import { createLearningSlot } from '../policies/some-learning.js'
import { type Asked, compileAsked, decideOne } from './some-question.js'

const NOW = Date.UTC(2026, 0, 10)
const context = { daypart: 'morning', sessionId: 's1' }

const contents: Content[] = ['shoes', 'shoes', 'hats', 'bags', 'toys'].map((category, index) => ({
  id: `${category}${index}`,
  slots: ['hero'],
  category,
  payload: {},
  weight: index,
}))

const learning = createLearningSlot()
for (let n = 0; n < 120; n++) {
  const index = n % contents.length
  const daypart = n % 2 === 0 ? 'morning' : 'afternoon'
  learning.learn({ person: { personId: 'anna' }, context: { daypart } }, contents[index]!, n % (index + 2) ? 0 : 1)
}
const model = learning.read()
const counts = emptyItemCounts()
for (const items of [
  ['shoes0', 'hats2', 'bags3'],
  ['hats2', 'bags3'],
  ['shoes1', 'shoes0'],
  ['toys4', 'bags3'],
])
  addItems(counts, items, 1)
const gram = gramOf(counts)
const MATRICES = { covisitation: covisitationModel(gram), knn: knnModel(gram), ease: easeModel(gram) }

const POLICIES: [string, PolicySpec | undefined][] = [
  ['default', undefined],
  ['fixed', { type: 'fixed', contentIds: ['bags3', 'gone', 'shoes0'] }],
  ['random', { type: 'random' }],
  ['weighted', { type: 'weighted' }],
  ['popular', { type: 'popular' }],
  ['trending', { type: 'trending' }],
  ['affinity', { type: 'affinity', exploration: 0.3 }],
  ['affinity × popularity', { type: 'affinity', exploration: 0.3, popularity: true }],
  ['covisitation', { type: 'covisitation' }],
  ['knn', { type: 'knn' }],
  ['ease', { type: 'ease' }],
  ['thompson', { type: 'thompson' }],
  ['contextual', { type: 'contextual' }],
  ['contextual by gaps', { type: 'contextual', draw: 'gaps' }],
  ['ensemble', { type: 'ensemble', policies: [{ share: 1, policy: { type: 'thompson' } }] }],
]

const message = { messageId: 'm1', type: 'track' as const, event: 'Seen', timestamp: new Date(NOW).toISOString() }
const profile = {
  ...applyMessage(undefined, message, { siteId: 'shop', visitorId: 'v1' }),
  affinities: addInterests(
    { values: {}, at: NOW },
    [
      ['hats', 2],
      ['bags', 1],
    ],
    NOW,
  ).values,
}

function asked(
  policy: PolicySpec | undefined,
  fields: Partial<Omit<Asked, 'slot'>> & { slot?: Partial<Slot> } = {},
): Asked {
  const slot: Slot = {
    id: 'hero',
    count: 1,
    holdout: 0,
    exploration: { atLeast: 0.05 },
    ...(policy && { policy }),
    ...fields.slot,
  }
  const whose = { siteId: 'shop', visitorId: 'v1', profile, context }
  return { ...whose, contents, now: NOW, seed: 's', model, itemsOf: type => MATRICES[type], ...fields, slot }
}

/** Decides with one seed after the other, about a slot that is compiled once. */
function* drawsOf(policy: PolicySpec | undefined, draws: number, slot: Partial<Slot>) {
  const question = asked(policy, { slot })
  const { compiled, situation } = compileAsked(question)
  for (let n = 0; n < draws; n++) yield decide({ ...question, situation, slot: compiled, seed: `d${n}` }).choice
}

describe.each(POLICIES)('the policy %s', (name, policy) => {
  // Those that ask the posterior take longer. That a lottery is drawn by its chances is shown 100,000 times elsewhere.
  const draws = /default|contextual|thompson|ensemble/.test(name) ? 1_500 : 5_000

  it.each([1, 3])('shows what it records, as often as it records, in %i positions', count => {
    const tally = new Map<string, { seen: number; mean: number; variance: number }>()
    const inverse = Array.from({ length: count }, () => ({ sum: 0, squares: 0, left: 0 }))
    for (const { candidates, contentIds, propensities } of drawsOf(policy, draws, { count })) {
      for (const { contentId, probability } of candidates) {
        const one = tally.get(contentId) ?? { seen: 0, mean: 0, variance: 0 }
        one.mean += probability
        one.variance += probability * (1 - probability)
        if (contentIds[0] === contentId) one.seen++
        tally.set(contentId, one)
      }
      expect(new Set(contentIds).size).toBe(contentIds.length)
      for (const [position, chance] of propensities.entries()) {
        inverse[position]!.sum += 1 / chance
        inverse[position]!.squares += 1 / chance ** 2
        inverse[position]!.left = candidates.length - position
      }
    }
    for (const [contentId, { seen, mean, variance }] of tally)
      expect(Math.abs(seen - mean), `${contentId}: ${seen} of ${mean}`).toBeLessThan(4.5 * Math.sqrt(variance) + 1e-3)
    // Each content that can be drawn adds its chance times the inverse of it: one. Of those, some policies have one
    // alone.
    if (name === 'fixed' || name === 'weighted') return
    for (const { sum, squares, left } of inverse) {
      const error = Math.sqrt(Math.max(0, squares / draws - (sum / draws) ** 2) / draws)
      expect(Math.abs(sum / draws - left)).toBeLessThan(5 * error + 1e-4)
    }
  })

  it('is drawn again from its record alone, and is the same for the same question', () => {
    for (const count of [1, 3])
      for (let n = 0; n < 20; n++) {
        const question = asked(policy, { seed: `again ${n}`, slot: { count } })
        const { choice, explored } = decideOne(question)
        expect(decideOne(question).choice).toEqual(choice)
        const recorded = JSON.parse(JSON.stringify(choice)) as typeof choice
        const { contentIds, propensities } = choice
        expect(recompute(recorded)).toEqual({ contentIds, propensities, explored })
        // Chances are whole numbers of 2^-30.
        for (const propensity of propensities) expect(Number.isInteger(propensity * 2 ** 30)).toBe(true)
        expect(recompute({ ...recorded, seed: 'other' })?.contentIds).toBeDefined()
      }
  })
})

describe('an ensemble of policies over items', () => {
  it('ranks by the matrix of the policy that it follows', () => {
    const arms: PolicySpec[] = [{ type: 'covisitation' }, { type: 'ease' }]
    const ofPerson = (policy: PolicySpec, personId: string) => {
      const question = asked(policy)
      const { compiled, situation } = compileAsked(question)
      const person = { ...situation.person, personId, items: ['shoes0'] }
      return decide({ ...question, situation: { ...situation, person }, slot: compiled }).choice
    }
    const followed = new Set<number>()
    for (let n = 0; n < 20; n++) {
      const policies = arms.map(policy => ({ share: 1, policy }))
      const choice = ofPerson({ type: 'ensemble', policies }, `p${n}`)
      const arm = choice.arms![0]!
      followed.add(arm)
      expect(choice.candidates).toEqual(ofPerson(arms[arm]!, `p${n}`).candidates)
    }
    expect(followed.size).toBe(2)
    const [first, second] = arms.map(arm => ofPerson(arm, 'p').candidates.map(({ score }) => score))
    expect(first).not.toEqual(second)
  })
})

describe('a campaign', () => {
  const campaigns: Slot['campaigns'] = [
    { id: 'sale', mode: 'boost', contentIds: ['toys4', 'shoes1'], where: { 'context.daypart': 'morning' } },
    { id: 'news', mode: 'pin', contentIds: ['gone', 'bags3', 'toys4'], where: { 'traits.plan': 'pro' } },
  ]
  const ofPlan = (plan: string, count: number, fields: Partial<Omit<Asked, 'slot'>> = {}) => {
    const person = { ...personOfProfile('v1', profile, NOW), traits: { plan } }
    return decideOne(asked({ type: 'thompson' }, { person, ...fields, slot: { count, campaigns } })).choice
  }

  it('that pins comes first, in its order, for those who meet its condition, with chance one', () => {
    const choice = ofPlan('pro', 3)
    expect(choice.contentIds).toEqual(['bags3', 'toys4', 'shoes1'])
    expect(choice.propensities).toEqual([1, 1, 1])
    expect(choice.campaigns).toEqual(['news', 'sale'])
    expect(choice.candidates.map(({ contentId, probability }) => [contentId, probability])).toEqual([
      ['bags3', 1],
      ['toys4', 0],
      ['shoes1', 0],
    ])
    expect(ofPlan('pro', 1, { shownBefore: new Set(['bags3']) }).contentIds).toEqual(['toys4'])
  })

  it('that boosts leaves the choice to the policy among its content, then to the policy among all', () => {
    const first = new Set<string>()
    for (let n = 0; n < 200; n++) {
      const choice = ofPlan('free', 3, { seed: `b${n}` })
      first.add(choice.contentIds[0]!)
      expect(choice.contentIds.slice(0, 2).sort()).toEqual(['shoes1', 'toys4'])
      expect(['shoes0', 'hats2', 'bags3']).toContain(choice.contentIds[2])
      expect(choice.propensities[1]).toBe(1)
      expect(recompute(choice)).toMatchObject({ contentIds: choice.contentIds, propensities: choice.propensities })
    }
    expect([...first].sort()).toEqual(['shoes1', 'toys4'])
  })

  it('that nobody meets changes nothing', () => {
    const context = { daypart: 'evening' }
    const plain = decideOne(asked({ type: 'thompson' }, { context, slot: { count: 2 } })).choice
    const { campaigns: chosen, ...others } = ofPlan('free', 2, { context })
    expect(chosen).toBeUndefined()
    expect(others).toEqual({ ...plain, policyVersion: others.policyVersion })
  })
})

describe('the record of 200 candidates of 1,000 contents', () => {
  it.each([1, 3])('has all chances, and is short, of %i positions', count => {
    const many: Content[] = Array.from({ length: 1_000 }, (_, n) => ({
      id: `content-${String(n).padStart(4, '0')}`,
      slots: ['hero'],
      category: `category${n % 10}`,
      payload: {},
      ...(n % 5 !== 0 && { where: { 'context.country': 'DE' } }),
    }))
    const bytes = POLICIES.map(([name, policy]) => {
      const { choice, stages } = decideOne(asked(policy, { contents: many, slot: { count } }))
      if (policy?.type !== 'fixed') {
        expect(stages[0]!.recorded.of).toBe(200)
        expect(choice.candidates.length).toBeLessThan(12)
        expect(choice.excluded).toHaveLength(4)
        expect(unpackReasons(choice.draw!.contents)).toEqual(
          many.map((_, n) => (n % 5 === 0 ? undefined : 'condition')),
        )
        expect(recompute(choice)?.contentIds).toEqual(choice.contentIds)
      }
      const id = 'f47ac10b-58cc-4372-a567-0e02b2c3d479'
      const head = { decisionId: id, timestamp: id.slice(0, 24), slotId: 'hero', anonymousId: id, sessionId: id }
      const record = { ...head, pageViewId: id, position: 1, ...choice, seed: id, latencyMs: 1.5 }
      return [name, JSON.stringify(record).length] as const
    })
    // Of gaps every score counts; of slates of a posterior each of its samples.
    for (const [name, size] of bytes)
      expect(size, name).toBeLessThan(count === 1 && !name.endsWith('gaps') ? 2_048 : 2_600)
  })
})

import { createHash } from 'node:crypto'
import type { Content, KeptDecision, PolicySpec, Slot } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { personOfProfile } from '#core/decide/person.js'
import { seededRandom } from '#core/decide/random.js'
import { DEFAULT_FEATURES } from '#core/features/default-features.js'
import { addOutcome, emptyEpochs } from '#core/learning/epochs/epochs.js'
import { crossFacts, DIMENSION, featuresOf } from '#core/learning/features/cross.js'
import { readModel, type SlotModel } from '#core/learning/model/slot-model.js'
import { toFixedReward } from '#core/learning/sums/fixed-point.js'
import { compileSegments } from '#core/segments/compile-segments.js'
import { decideOne } from './some-question.js'

const NOW = Date.UTC(2026, 0, 2)
const SEEDS = 24

/** Contents, of which three in four meet their condition and half have a cap. */
const CONTENTS: Content[] = Array.from({ length: 120 }, (_, n) => ({
  id: `content-${n}`,
  slots: ['hero'],
  category: `category-${n % 7}`,
  ...(n % 3 === 0 && { brand: `brand-${n % 5}`, price: n, tags: [`tag-${n % 4}`, 'all'] }),
  ...(n % 5 === 0 && { weight: 1 + (n % 3) }),
  payload: {},
  where: { 'context.country': { $in: n % 4 === 0 ? ['FR'] : ['DE', 'FR'] } },
  ...(n % 2 === 0 && { caps: [{ count: 1, per: '24h' as const }] }),
}))

const CAMPAIGNS: Slot['campaigns'] = [
  { id: 'pinned', where: { 'context.device': 'phone' }, contentIds: ['content-9'], mode: 'pin' },
  { id: 'boosted', where: { 'context.device': 'phone' }, contentIds: ['content-5', 'content-6'], mode: 'boost' },
]

/**
 * What was decided before decisions were made quicker, as hashes of all that is recorded of them: a draw that is done
 * again, by this version or the next, must be the same to the last bit.
 */
const DECIDED: [name: string, hash: string, policy: PolicySpec | undefined, count: number][] = [
  ['the default', 'ff8e8e4a01babcf5', undefined, 1],
  ['the default, three positions', '1643a7a000315c65', undefined, 3],
  ['contextual', '709218c36bd807ae', { type: 'contextual' }, 1],
  ['contextual, three positions', '1c1cbee1665f9a28', { type: 'contextual' }, 3],
  ['contextual, eight positions', 'af8c9c38e66e6946', { type: 'contextual' }, 8],
  ['contextual, by gaps', 'cf35c6f99b312219', { type: 'contextual', draw: 'gaps' }, 3],
  ['contextual, by samples', 'f7a12fc5b42a8ca4', { type: 'contextual', draw: 'samples' }, 1],
  ['thompson', '8c6ed18089f98135', { type: 'thompson' }, 1],
  ['thompson, four positions', '6e9584dc412fd62e', { type: 'thompson' }, 4],
  ['popular', 'd68e7205b3c8602d', { type: 'popular' }, 3],
  ['popular, by segment', '203af96f5d014cae', { type: 'popular', bySegment: true }, 3],
  ['trending', 'f94e4c10839fa0ee', { type: 'trending' }, 2],
  ['affinity', 'a210497a60d4a4bc', { type: 'affinity', exploration: 0.1 }, 2],
  ['affinity and popularity', 'dc95c4c1cdb2413d', { type: 'affinity', exploration: 0.1, popularity: true }, 2],
  ['weighted', 'dcbd9e1c0e69d791', { type: 'weighted' }, 2],
  ['random', 'dded083b3d49d49b', { type: 'random' }, 2],
  [
    'an ensemble',
    '8db0633a404f28b0',
    {
      type: 'ensemble',
      policies: [
        { share: 0.5, policy: { type: 'contextual' } },
        { share: 0.5, policy: { type: 'popular' } },
      ],
    },
    2,
  ],
]

/** Returns a person who was shown some contents in the last days. */
function personOf(n: number) {
  const decisions: KeptDecision[] = Array.from({ length: n % 9 }, (_, index) => ({
    decisionId: `d${index}`,
    slotId: 'hero',
    at: NOW - index * 7_200_000,
    sessionId: `s${index}`,
    items: [{ contentId: `content-${(index * 13 + n) % 120}`, position: 1, viewedAt: NOW - index * 7_200_000 }],
  }))
  const traits = { plan: ['free', 'pro', 'team'][n % 3]! }
  return { ...personOfProfile(`a:p${n}`, undefined, NOW), traits, decisions }
}

function contextOf(n: number) {
  return {
    sessionId: `s${n}`,
    country: n % 2 === 0 ? 'DE' : 'FR',
    device: n % 3 === 0 ? 'phone' : 'laptop',
    hour: n % 5,
  }
}

function learned(): SlotModel {
  const random = seededRandom('outcomes')
  const epochs = emptyEpochs(NOW)
  for (let n = 0; n < 1_500; n++) {
    const content = CONTENTS[Math.floor(random() * 100)]!
    const position = 1 + (n % 3)
    addOutcome(epochs, {
      contentId: content.id,
      at: NOW - (1_500 - n) * 1_000,
      position,
      reward: toFixedReward(random() < 0.02 * (1 + (n % 7)) ? 1 : 0),
      segments: n % 4 === 0 ? ['rich'] : [],
      features: featuresOf(crossFacts({ context: contextOf(n) }), content, position),
    })
  }
  return readModel(epochs, { dimension: DIMENSION, trendHalfLifeMs: 3_600_000 })
}

/** Writes a value as JSON whose fields are in the order of their names. */
function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_, field: unknown) =>
    field !== null && typeof field === 'object' && !Array.isArray(field)
      ? Object.fromEntries(Object.entries(field).sort(([one], [other]) => (one < other ? -1 : 1)))
      : field,
  )
}

const SEGMENTS = compileSegments([{ name: 'rich', where: { 'traits.plan': 'pro' } }])

describe('decisions stay what they were', () => {
  const models = [undefined, learned()]
  if (!SEGMENTS.ok) throw new Error(SEGMENTS.reason)
  const definitions = { features: DEFAULT_FEATURES, segments: SEGMENTS.value }

  it.each(DECIDED)('by %s', (_name, hash, policy, count) => {
    const all = createHash('sha256')
    for (let n = 0; n < SEEDS; n++) {
      const slot: Slot = { id: 'hero', count, holdout: 0, campaigns: CAMPAIGNS!, ...(policy && { policy }) }
      const { choice, explored, stages } = decideOne({
        slot: n % 2 === 0 ? slot : { id: 'hero', count, holdout: 0.3, ...(policy && { policy }) },
        contents: CONTENTS,
        siteId: 's',
        visitorId: `a:p${n}`,
        profile: undefined,
        person: personOf(n),
        definitions,
        context: contextOf(n),
        now: NOW,
        seed: `seed ${n}`,
        shownBefore: new Set([`content-${n}`]),
        model: models[n % 4 === 0 ? 0 : 1],
      })
      all.update(sortedJson({ choice, explored, stages }))
    }
    expect(all.digest('hex').slice(0, 16)).toBe(hash)
  })
})

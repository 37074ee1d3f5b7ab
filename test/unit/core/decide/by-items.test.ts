import type { JsonObject } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { personOfProfile } from '#core/decide/person.js'
import { DEFAULT_FEATURES } from '#core/features/default-features.js'
import { draftFeatures, emptyStates } from '#core/features/state/reduce.js'
import { gramOfUsers } from '#core/learning/items/gram.js'
import { knnModel } from '#core/policies/ranking/knn.js'
import { decideOne } from './some-question.js'

const NOW = Date.UTC(2026, 0, 10)

/** Which two items browsers had: the second and the third of them are numbers in messages. */
const PAIRS = [
  ['lamp', '102'],
  ['101', 'bulb'],
  ['clicked', 'liked'],
]
const ids = new Map([...PAIRS.flat(), 'best'].map((id, index) => [id, index]))
const users = PAIRS.flatMap(pair => Array.from({ length: 20 }, () => pair.map(id => ids.get(id)!)))
// What most have.
for (let n = 0; n < 30; n++) users.push([ids.get('best')!])
const model = { ...knnModel(gramOfUsers(users, ids)), asOf: NOW - 60_000 }

/** Chooses for a person by what the person did. */
function decidedFor(event?: string, properties: JsonObject = {}, items: typeof model | null = model) {
  const draft = draftFeatures(emptyStates(0), DEFAULT_FEATURES)
  const message = { messageId: 'm', type: 'track' as const, timestamp: new Date(NOW).toISOString(), properties }
  if (event) draft.add({ ...message, event }, NOW)
  return decideOne({
    ...{ siteId: 'shop', visitorId: 'v', profile: undefined, now: NOW, seed: 's' },
    person: { ...personOfProfile('v', undefined, NOW), features: draft.soFar() },
    slot: { id: 'hero', count: 1, holdout: 0, policy: { type: 'knn' }, exploration: { atLeast: 0 } },
    contents: [...ids.keys()].map(id => ({ id, slots: ['hero'], category: 'c', payload: {} })),
    itemsOf: type => (type === 'knn' ? (items ?? undefined) : undefined),
  }).choice
}

describe('a slot that ranks by items', () => {
  it.each([
    ['viewed', 'Product Viewed', { product_id: 'lamp' }, '102'],
    ['added', 'Product Added', { sku: 'lamp' }, '102'],
    ['clicked in a slot', 'Slot Clicked', { contentId: 'clicked', slotId: 's' }, 'liked'],
    // As ids of content are texts.
    ['viewed, whose id is a number,', 'Product Viewed', { product_id: 101 }, 'bulb'],
    ['viewed, which no model knows,', 'Product Viewed', { product_id: 'new' }, 'best'],
  ])('shows what goes with what was %s', (_how, event, properties, shown) => {
    expect(decidedFor(event, properties).contentIds).toEqual([shown])
  })

  it('shows newcomers what most have, and anything before there is a matrix', () => {
    expect(decidedFor().contentIds).toEqual(['best'])
    const { candidates } = decidedFor('Product Viewed', { product_id: 'lamp' }, null)
    for (const { probability } of candidates) expect(probability).toBeCloseTo(1 / 7, 6)
  })

  it('records when the matrix was fitted', () => {
    expect(decidedFor().itemsAsOf).toBe(NOW - 60_000)
    const { asOf: _asOf, ...other } = model
    expect(decidedFor(undefined, {}, other as typeof model)).not.toHaveProperty('itemsAsOf')
  })
})

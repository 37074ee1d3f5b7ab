import { DIMENSION, emptyEpochs, readModel, type SlotModel } from '@slotstream/core'
import type { DecideRequest, Reward, ServedItem } from '@slotstream/protocol'
import { expect, it } from 'vitest'
import { answer } from '#aggregator/decisions/answer.js'
import { createCatalog } from '#aggregator/decisions/catalog.js'
import { addOutcome } from '#core/learning/epochs/epochs.js'
import { unpackFeatures } from '#core/learning/features/packed.js'
import { REWARD_SCALE } from '#core/learning/sums/fixed-point.js'
import { createVisitor, NOON, SECOND, track } from '../../core/ledger/some-decisions.js'

const REVENUE: Reward = { event: 'Order Completed', value: 'properties.revenue', windowHours: 24 }
const HOUR = 3_600_000
const HONEST = 40_000

const request: DecideRequest = {
  ...{ siteId: 'shop', visitorId: 'v1', anonymousId: 'v1', slots: [{ id: 'hero' }] },
  ...{ after: 0, deadlineMs: 100, explain: false },
}

/** A slot of two contents, of which one earns 50 in 12 % of its views, and the other in 8 %. */
function slotOf(policy: object) {
  const catalog = createCatalog()
  catalog.set('shop.slot.hero', { id: 'hero', rewards: [REVENUE], policy })
  for (const id of ['good', 'poor']) catalog.set(`shop.content.${id}`, { id, slots: ['hero'] })
  const epochs = emptyEpochs(NOON)
  let model: SlotModel | undefined
  const decide = () => {
    const { records, served } = answer(
      request,
      { profile: undefined },
      { catalog, models: { modelOf: () => model } },
      NOON,
    )
    const share = records[0]!.candidates.find(({ contentId }) => contentId === 'good')!.probability
    return { share, served: served[0]! }
  }
  // Before anything is learned each is shown by turns.
  const items = new Map<string, ServedItem>()
  while (items.size < 2) for (const item of decide().served.items) items.set(item.contentId, item)
  function learn(contentId: string, at: number, reward: number, sign: 1 | -1 = 1) {
    const { features } = items.get(contentId)!
    const outcome = { contentId, at, position: 1, reward, segments: [] }
    addOutcome(epochs, features ? { ...outcome, features: unpackFeatures(features) } : outcome, sign)
  }
  for (let n = 0; n < HONEST; n++) {
    const isGood = n % 2 === 0
    const earns = (n >> 1) % 100 < (isGood ? 12 : 8)
    learn(isGood ? 'good' : 'poor', NOON - ((n * 7_919) % HOUR), earns ? 50 * REWARD_SCALE : 0)
  }
  const fit = () => {
    model = readModel(epochs, { dimension: DIMENSION, trendHalfLifeMs: HOUR })
  }
  fit()
  return { decide, learn, fit }
}

it.each([{ type: 'thompson' }, { type: 'contextual' }])(
  'one message turns nothing of what $type has learned, however much it says it is worth',
  policy => {
    const slot = slotOf(policy)
    const { share, served } = slot.decide()
    expect(share).toBeGreaterThan(0.95)
    for (const [contentId, revenue] of [
      ['poor', 100_000],
      ['good', -100_000],
    ] as const) {
      const visitor = createVisitor()
      visitor.serve({ ...served, items: [{ contentId, position: 1 }] })
      const { decisionId } = served
      const named = { decisionId, contentId }
      visitor.send(track('Slot Viewed', SECOND, named), track('Order Completed', SECOND, { ...named, revenue }))
      expect(visitor.records).toHaveLength(1)
      for (const { reward } of visitor.records) slot.learn(contentId, NOON, reward)
      slot.fit()
      expect(slot.decide().share).toBeGreaterThan(share - 0.02)
    }
  },
)

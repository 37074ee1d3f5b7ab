import { applyEnvelope, DEFAULT_FEATURES, featureValues } from '@slotstream/core'
import type { StoredMessage } from '@slotstream/protocol'
import { expect, it } from 'vitest'
import { featuresOfRow } from '#aggregator/warehouse/rows/buckets/feature-values.js'

const AT = '2026-01-02T03:04:05.006Z'

/** Returns the features of the row of a browser that sent these events, and all values at the same time. */
function featuresAfter(...sent: Pick<StoredMessage, 'event' | 'properties'>[]) {
  const messages = sent.map(
    (message, index): StoredMessage => ({
      messageId: `m${index}`,
      type: 'track',
      anonymousId: 'v',
      timestamp: AT,
      ...message,
    }),
  )
  const profile = applyEnvelope(undefined, { siteId: 'demo', visitorId: 'v', receivedAt: AT, messages }, 1)!
  const at = Date.parse(AT)
  return {
    ofRow: featuresOfRow(profile, DEFAULT_FEATURES, at),
    all: featureValues(profile.features!, DEFAULT_FEATURES, at),
  }
}

it('a row has the features of a visitor that hold something, with their values', () => {
  const viewed = { event: 'Product Viewed', properties: { product_id: 'p', category: 'camp', brand: 'b' } }
  const added = { event: 'Product Added', properties: { product_id: 'p', category: 'camp' } }
  const { ofRow, all } = featuresAfter(viewed, added)
  expect(Object.keys(ofRow)).toContain('cart')
  for (const [name, { version, value }] of Object.entries(ofRow))
    expect({ version, value: JSON.parse(value) }).toEqual({
      version: all.get(name)!.version,
      value: JSON.parse(JSON.stringify(all.get(name)!.value)),
    })
  const isNothing = (value: unknown) => !value || (typeof value === 'object' && Object.keys(value).length === 0)
  const held = [...all].filter(([, { value }]) => !isNothing(value)).map(([name]) => name)
  expect(Object.keys(ofRow)).toEqual(held)
})

it('a row of a visitor without a cart has none', () => {
  expect(featuresAfter({ event: 'E', properties: {} }).ofRow).not.toHaveProperty('cart')
})

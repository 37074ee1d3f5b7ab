import { applyEnvelope, DEFAULT_FEATURES } from '@slotstream/core'
import type { Profile, StoredMessage } from '@slotstream/protocol'
import { expect, it } from 'vitest'
import { featuresOfRow, NARROWED } from '#aggregator/warehouse/rows/buckets/feature-values.js'

const AT = Date.UTC(2026, 10, 1, 12)

function profileOf(products: number): Profile {
  const timestamp = new Date(AT).toISOString()
  const messages = Array.from({ length: products }, (_, index): StoredMessage => {
    const name = `${index}`.padEnd(250, '.')
    const properties = { product_id: name, category: name, brand: name, tags: [name], activeMs: 10 }
    const event = index % 2 ? 'Product Viewed' : 'Page Engaged'
    return { messageId: `m${index}`, type: 'track', event, anonymousId: 'v', timestamp, properties }
  })
  return applyEnvelope(undefined, { siteId: 'shop', visitorId: 'v', receivedAt: timestamp, messages }, 1)!
}

it('tells of features that were narrowed how much of each is left', () => {
  const { [NARROWED]: narrowed, page_views: none, ...others } = featuresOfRow(profileOf(400), DEFAULT_FEATURES, AT)
  expect(none).toBeUndefined()
  expect(Object.keys(others)).toContain('category_affinity')
  const shares = JSON.parse(narrowed!.value) as Record<string, number>
  expect(shares.category_affinity).toBeLessThan(1)
  for (const [name, share] of Object.entries(shares)) {
    expect(DEFAULT_FEATURES.byName.has(name)).toBe(true)
    expect(Number.isInteger(Math.log2(share))).toBe(true)
  }
})

it('has no such entry for a usual visitor', () => {
  expect(featuresOfRow(profileOf(20), DEFAULT_FEATURES, AT)).not.toHaveProperty([NARROWED])
})

import { applyEnvelope, DEFAULT_FEATURES } from '@slotstream/core'
import type { Profile, StoredMessage } from '@slotstream/protocol'
import { expect, it } from 'vitest'
import { APPROXIMATE, featuresOfRow, NARROWED } from '#aggregator/warehouse/rows/buckets/feature-values.js'

const AT = Date.UTC(2026, 10, 1, 12)

function profileOf(products: number, nameLength = 250): Profile {
  const timestamp = new Date(AT).toISOString()
  const messages = Array.from({ length: products }, (_, index): StoredMessage => {
    const name = `${index}`.padEnd(nameLength, '.')
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

it('tells which features are approximate: those that were narrowed, and those that had too much', () => {
  const { [APPROXIMATE]: approximate, [NARROWED]: narrowed } = featuresOfRow(profileOf(400), DEFAULT_FEATURES, AT)
  const names = Object.keys(JSON.parse(approximate!.value) as object)
  expect(names).toEqual(expect.arrayContaining(Object.keys(JSON.parse(narrowed!.value) as object)))
  // A hundred categories are kept, and they are not too large.
  const { [APPROXIMATE]: cut, [NARROWED]: none } = featuresOfRow(profileOf(220, 10), DEFAULT_FEATURES, AT)
  expect(none).toBeUndefined()
  expect(JSON.parse(cut!.value)).toMatchObject({ category_affinity: 1, brand_affinity: 1 })
})

it('has no such entries for a usual visitor', () => {
  const row = featuresOfRow(profileOf(20), DEFAULT_FEATURES, AT)
  expect(row).not.toHaveProperty([NARROWED])
  expect(row).not.toHaveProperty([APPROXIMATE])
})

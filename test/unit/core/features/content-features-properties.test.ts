import type { EventEnvelope, FeatureDefinition, JsonObject, StoredMessage } from '@slotstream/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { definitionFaults, MAX_CONTENT_FEATURES } from '#core/definitions/check-definitions.js'
import { compileFeatures } from '#core/features/compile.js'
import { amountPortions } from '#core/features/content/amounts.js'
import { contentValues } from '#core/features/content/content-values.js'
import { countContents, MAX_SUMS_OF_MESSAGE } from '#core/features/content/count-contents.js'
import { ALL_BUILT_IN_FEATURES } from '#core/features/default-features.js'
import { addAmounts, type ContentTotals, noContents } from '#core/learning/contents/content-totals.js'
import { applyAndDetect } from '#core/profile/apply.js'
import { featureFaults } from '#protocol/site/definitions/check-feature.js'
import { messageAt } from './some-features.js'

const AT = Date.UTC(2026, 10, 2, 13)

const SOLD: FeatureDefinition = {
  name: 'sold',
  source: { events: { 'Order Completed': 1, 'Order Refunded': -1 }, where: { 'properties.price': { $gt: 1 } } },
  value: 'properties.price',
  aggregate: 'sum',
  entity: 'content',
}
const LATELY: FeatureDefinition = { ...SOLD, name: 'lately', window: '1h' }

const BY_BRAND: FeatureDefinition = {
  ...{ name: 'by_brand', source: { event: 'Seen' }, by: 'properties.brand', aggregate: 'count', entity: 'content' },
}

const features = compileFeatures(
  ALL_BUILT_IN_FEATURES,
  [SOLD, LATELY, BY_BRAND, { name: 'content_trend', off: true }],
  where => {
    expect(where).toEqual(SOLD.source.where)
    return ({ properties }) => Number(properties?.price) > 1
  },
)

function totalsOf(batches: StoredMessage[][]): ContentTotals {
  const totals = noContents()
  for (const batch of batches) {
    const counting = countContents(features)
    for (const message of batch) counting.add(message, Date.parse(message.timestamp))
    addAmounts(totals, 'shop', counting.amounts(), 1)
  }
  return totals
}

const valuesOf = (totals: ContentTotals, id: string) =>
  Object.fromEntries(contentValues(totals.sites.get('shop')?.byId.get(id)?.rows ?? new Map(), features, AT))

const plain = (totals: ContentTotals) =>
  [...(totals.sites.get('shop')?.byId ?? [])].map(([id, { rows }]) => [id, [...rows].sort()]).sort()

describe('features of content', () => {
  it('sum up what is declared, for content that is named as product, too', () => {
    const sold = (properties: StoredMessage['properties'], event = 'Order Completed', at = AT - 60_000) =>
      messageAt(at, event, properties)
    const totals = totalsOf([
      [sold({ product_id: 'tent', price: 9.5 }), sold({ sku: 'tent', price: '2.5' }), sold({ sku: 'tent', price: 1 })],
      [sold({ product_id: 'tent', price: 3, slotId: 'hero' }, 'Order Refunded'), sold({ product_id: 101, price: 4 })],
      [sold({ product_id: 'tent', price: 7 }, 'Order Completed', AT - 7_200_000), sold({ price: 7 })],
      [
        sold({ sku: 'tent', slotId: 'hero', brand: 'Acme' }, 'Seen'),
        sold({ sku: 'tent', brand: ['Acme', 'Best'] }, 'Seen'),
      ],
    ])
    expect(valuesOf(totals, 'tent')).toMatchObject({
      sold: { value: 16, slots: { '': 19, hero: -3 } },
      lately: { value: 9, slots: { '': 12, hero: -3 } },
      content_views: { value: 0, slots: {} },
      content_click_rate: { value: null, slots: {} },
    })
    expect(valuesOf(totals, 'tent').by_brand).toEqual({
      value: { Acme: 2, Best: 1 },
      slots: { hero: { Acme: 1 }, '': { Acme: 1, Best: 1 } },
    })
    expect(valuesOf(totals, '101').sold).toEqual({ value: 4, slots: { '': 4 } })
    expect(valuesOf(totals, 'tent')).not.toHaveProperty('content_trend')
    expect(features.byName.has('sold')).toBe(false)
  })

  it('are the same in any order and batches, and nothing once they are taken away', () => {
    const message = fc
      .tuple(
        fc.integer({ min: 0, max: 3_000 }),
        fc.constantFrom('Slot Viewed', 'Slot Clicked', 'Order Completed'),
        fc.constantFrom('tent', 'lamp'),
        fc.constantFrom('hero', 'list', undefined),
        fc.integer({ min: 2, max: 900 }),
      )
      .map(([seconds, event, contentId, slotId, price]) =>
        messageAt(AT - seconds * 1_000, event, { contentId, price: price / 7, ...(slotId && { slotId }) }),
      )
    fc.assert(
      fc.property(fc.array(message, { maxLength: 30 }), fc.integer({ min: 1, max: 9 }), (messages, size) => {
        const batches = Array.from({ length: Math.ceil(messages.length / size) }, (_, at) =>
          messages.slice(at * size, (at + 1) * size),
        )
        const [once, reversed] = [totalsOf(batches), totalsOf([messages.toReversed()])]
        expect(plain(reversed)).toEqual(plain(once))
        const counting = countContents(features)
        for (const each of messages) counting.add(each, Date.parse(each.timestamp))
        addAmounts(once, 'shop', counting.amounts(), -1)
        expect(plain(once)).toEqual([])
      }),
      { numRuns: 200 },
    )
  })

  it('forget the content of which nothing was heard for longest where a site has too much', () => {
    const totals = noContents()
    const amounts = Array.from({ length: 400 }, (_, slot) => ['v', slot, 0, 1] as [string, number, number, number])
    const add = (id: number) => addAmounts(totals, 'shop', [{ contentId: `c${id}`, slotId: '', amounts }], 1)
    for (let id = 0; id < 2_000; id++) add(id)
    add(0)
    for (let id = 2_000; id < 3_000; id++) add(id)
    const { byId, bytes } = totals.sites.get('shop')!
    expect(bytes).toBeLessThanOrEqual(32 * 2 ** 20)
    expect(byId.size).toBeGreaterThan(2_000)
    expect([byId.has('c0'), byId.has('c1'), byId.has('c2999')]).toEqual([true, false, true])
  })

  it('count a message once, and none of a visitor who seems to be a program', () => {
    const click = messageAt(AT, 'Slot Clicked', { contentId: 'tent', slotId: 'hero' })
    const envelope = (messages: StoredMessage[]): EventEnvelope => ({
      ...{ siteId: 'shop', visitorId: 'anna', receivedAt: new Date(AT).toISOString(), messages },
    })
    const apply = (profile: Parameters<typeof applyAndDetect>[0], messages: StoredMessage[], seq: number) =>
      applyAndDetect(profile, envelope(messages), seq, () => '')
    const first = apply(undefined, [click, click], 1)
    expect(first.contents).toMatchObject([{ contentId: 'tent', slotId: 'hero' }])
    const clicks = first.contents![0]!.amounts.map(([, , , units]) => units)
    expect(clicks.slice(0, 2)).toEqual([1e6, 1e6])
    expect(apply(first.profile, [click], 2).contents).toBeUndefined()
    expect(apply(first.profile, [messageAt(AT, 'Slot Clicked')], 2).contents).toBeUndefined()
    // A hundred pages within a minute.
    const pages = Array.from({ length: 100 }, (_, page) => messageAt(AT + page * 500, 'page', { page }))
    expect(apply(undefined, [...pages, click], 1).contents).toBeUndefined()
  })

  it('take keys and values of one list element by element', () => {
    const byCategory: FeatureDefinition = {
      ...{ name: 'by_category', source: { event: 'Seen' }, aggregate: 'sum', entity: 'content' },
      ...{ by: 'properties.products.category', value: 'properties.products.price' },
    }
    const counting = countContents(compileFeatures([], [byCategory], () => () => true))
    const products: JsonObject[] = [
      { category: 'camp', price: 100 },
      { category: 'home', price: 5 },
      { category: 'camp', price: '0.5' },
      { category: 'home' },
      { price: 7 },
    ]
    counting.add(messageAt(AT, 'Seen', { contentId: 'tent', products }), AT)
    const [content] = counting.amounts()
    expect(content!.amounts.map(([, , , units, key]) => [key, units / 1e6])).toEqual([
      ['camp', 100.5],
      ['home', 5],
    ])
  })

  it('say that they are approximate where there are more keys than are kept, in whatever order', () => {
    const byBrand: FeatureDefinition = {
      ...{ name: 'brands', source: { event: 'Seen' }, aggregate: 'count', entity: 'content' },
      ...{ by: 'properties.brand', keys: 3 },
    }
    const compiled = compileFeatures([], [byBrand], () => () => true)
    const seen = (brand: string) => messageAt(AT, 'Seen', { contentId: 'tent', brand, slotId: brand })
    const brandsOf = (names: string[]) => {
      const counting = countContents(compiled)
      for (const name of names) counting.add(seen(name), AT)
      const totals = noContents()
      addAmounts(totals, 'shop', counting.amounts(), 1)
      return contentValues(totals.sites.get('shop')!.byId.get('tent')!.rows, compiled, AT).get('brands')!
    }
    expect(brandsOf(['a', 'b', 'c', 'a'])).toMatchObject({ value: { a: 2, b: 1, c: 1 } })
    expect(brandsOf(['a', 'b', 'c', 'a'])).not.toHaveProperty('approximate')
    const cut = brandsOf(['a', 'b', 'c', 'd'])
    expect(cut).toMatchObject({ approximate: true })
    expect(Object.keys(cut.value as object)).toHaveLength(3)
    expect(brandsOf(['d', 'c', 'b', 'a'])).toEqual({ ...cut, slots: brandsOf(['a', 'b', 'c', 'd']).slots })
  })

  it('refuse what is no sum, with a line for each fault', () => {
    const raw = { ...SOLD, aggregate: 'mean', window: 'session' }
    expect(featureFaults(raw, 'features[0]')).toEqual([
      'features[0].source.events["Order Refunded"]: weights count with count and sum only, give it 1',
      'features[0].aggregate: features of content are sums, count or sum, not "mean"',
      'features[0].window: content has no sessions, choose a duration or lifetime',
    ])
    const many = Array.from({ length: MAX_CONTENT_FEATURES + 1 }, (_, at) => ({ ...SOLD, name: `f${at}` }))
    expect(definitionFaults('features', { features: many, patterns: [], segments: [] })).toEqual([
      'features: 21 are of content, 20 are allowed in a set',
    ])
    const segments = [{ name: 's', where: { 'features.sold': { $gt: 1 } } }]
    expect(definitionFaults('segments', { features: [SOLD], patterns: [], segments })[0]).toMatch(/no feature "sold"/)
  })

  it('take as much of a message as is kept, in no time', () => {
    const hostile = Array.from(
      { length: 20 },
      (_, n): FeatureDefinition => ({
        ...{ name: `hostile_${n}`, source: { event: 'Seen' }, value: 'properties.values', by: 'properties.keys' },
        ...{ aggregate: 'sum', entity: 'content' },
      }),
    )
    const compiled = compileFeatures(ALL_BUILT_IN_FEATURES, hostile, () => () => true)
    const keys = Array.from({ length: 1_000 }, (_, n) => `\u0001${n}`)
    const amountsOf = (value: number) => {
      const counting = countContents(compiled)
      const values = Array.from({ length: 1_000 }, () => value)
      counting.add(messageAt(AT, 'Seen', { contentId: 'tent', keys, values }), AT)
      return counting.amounts().flatMap(content => content.amounts)
    }
    const amounts = amountsOf(1)
    expect(amounts).toHaveLength(MAX_SUMS_OF_MESSAGE)
    for (const [, , , units] of amounts) expect(units).toBe(1_000 * 1e6)
    // In as many numbers as are exact: a key is there with all of them, or not at all.
    const exact = amountsOf(1e9)
    const numbersOf = (key: string) => exact.filter(amount => amount[0] === exact[0]![0] && amount[4] === key).length
    expect(exact.length).toBeLessThanOrEqual(MAX_SUMS_OF_MESSAGE)
    for (const key of new Set(exact.map(amount => amount[4]!)))
      expect(numbersOf(key)).toBe(Math.ceil(1e18 / Number.MAX_SAFE_INTEGER))
  })

  it('are the same in one batch of very much and message by message', () => {
    const many = Array.from({ length: 5_000 }, (_, n) =>
      messageAt(AT - n, n % 2 ? 'Slot Viewed' : 'Slot Clicked', { contentId: `content-${n}`, slotId: 'hero' }),
    )
    const together = totalsOf([many])
    expect(together.sites.get('shop')!.byId.size).toBe(5_000)
    const counting = countContents(features)
    for (const message of many) counting.add(message, Date.parse(message.timestamp))
    const portions = amountPortions(counting.amounts())
    expect(portions.length).toBeGreaterThan(1)
    for (const portion of portions) expect(JSON.stringify(portion).length).toBeLessThan(400_000)
    const inPortions = noContents()
    for (const portion of portions) addAmounts(inPortions, 'shop', portion, 1)
    const sorted = (totals: typeof together) => plain(totals).sort()
    expect(sorted(inPortions)).toEqual(sorted(together))
    expect(sorted(totalsOf(many.map(message => [message])))).toEqual(sorted(together))
  })
})

import type { EventEnvelope, FeatureDefinition, Profile, StoredMessage } from '@slotstream/protocol'
import { memoryOf, parseProfile } from '@slotstream/protocol'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BUILT_IN_FEATURES } from '#core/features/built-in.js'
import { compileFeatures } from '#core/features/compile.js'
import type { Features } from '#core/features/feature.js'
import { mergeStates } from '#core/features/narrow/merge-states.js'
import { draftFeatures, emptyStates } from '#core/features/state/reduce.js'
import { featureValues } from '#core/features/state/values.js'
import { applyEnvelope } from '#core/profile/apply.js'
import { MAX_PROFILE_FEATURES_BYTES } from '#core/profile/features/ladder.js'
import { featuresBytes } from '#core/profile/profile-size.js'
import { messageAt } from '../../features/some-features.js'

const NOON = Date.UTC(2026, 10, 1, 12)
const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

const declared: FeatureDefinition[] = [
  { name: 'views', source: { event: 'Viewed' }, by: 'properties.product', aggregate: 'count', keys: 500 },
  { name: 'views_30d', source: { event: 'Viewed' }, by: 'properties.product', aggregate: 'count', window: '30d' },
  { name: 'spent', source: { event: 'Viewed' }, value: 'properties.price', by: 'properties.product', aggregate: 'sum' },
  {
    name: 'shops',
    source: { event: 'Viewed' },
    value: 'properties.shop',
    by: 'properties.product',
    aggregate: 'unique',
  },
  { name: 'products', source: { event: 'Viewed' }, value: 'properties.product', aggregate: 'unique', window: '30d' },
  {
    name: 'number_30d',
    source: { event: 'Viewed' },
    value: 'properties.product',
    aggregate: 'distinct',
    window: '30d',
  },
  { name: 'in_session', source: { event: 'Viewed' }, by: 'properties.product', aggregate: 'count', window: 'session' },
]
const features = compileFeatures(BUILT_IN_FEATURES, declared, () => () => true)

const long = (text: string) => text.padEnd(200, '.')

/** A view of a product, whose names are long where `isWide`. */
function view(index: number, { at = NOON + index * MINUTE, product = index, userId = '', isWide = true } = {}) {
  const name = isWide ? long(`product ${product}`) : `product ${product}`
  const properties = { product: name, category: name, tags: [name, `tag ${index}`], brand: name, price: 2 }
  const shop = long(`shop ${index % 7}`)
  const message: StoredMessage = messageAt(at, 'Viewed', { ...properties, shop }, { sessionId: 's' })
  return { ...message, messageId: `m${index}`, ...(userId && { userId }) }
}

function page(index: number, userId = ''): StoredMessage {
  const message = messageAt(NOON + index * MINUTE, 'page', { category: long(`c${index}`), tags: [long(`t${index}`)] })
  return { ...message, messageId: `p${index}`, context: { sessionId: 's' }, ...(userId && { userId }) }
}

/** Applies messages, cut into envelopes at these places, stored in between. */
function apply(messages: readonly StoredMessage[], cuts: readonly number[] = [], of: Features = features): Profile {
  const bounds = [...cuts, 0, messages.length].map(cut => Math.min(cut, messages.length)).sort((a, b) => a - b)
  let profile: Profile | undefined
  for (let part = 1; part < bounds.length; part++) {
    if (bounds[part] === bounds[part - 1]) continue
    const envelope: EventEnvelope = {
      ...{ siteId: 'shop', visitorId: 'v', receivedAt: new Date(NOON).toISOString() },
      messages: messages.slice(bounds[part - 1], bounds[part]),
    }
    const applied = applyEnvelope(profile, envelope, part, { features: of })
    const parsed = parseProfile(JSON.parse(JSON.stringify(applied)))
    if (!parsed.ok) throw new Error(parsed.reason)
    profile = parsed.value
  }
  return profile!
}

const heldBy = ({ features: ofBrowser, featuresByUser }: Profile) => ({ ofBrowser, featuresByUser })

const valueIn = (profile: Profile, name: string, userId = '', at = NOON + DAY) =>
  featureValues(userId ? profile.featuresByUser![userId]! : profile.features!, features, at).get(name)!.value

describe('features that would take too much', () => {
  const many = Array.from({ length: 400 }, (_, index) => view(index, { product: index % 150 }))

  it('stay within their bytes after each message, and go on to count', () => {
    let profile: Profile | undefined
    let isNarrowed = false
    const messages = [...many, ...Array.from({ length: 30 }, (_, index) => page(500 + index))]
    messages.forEach((message, index) => {
      const envelope = { siteId: 'shop', visitorId: 'v', receivedAt: message.timestamp, messages: [message] }
      profile = applyEnvelope(profile, envelope, index + 1, { features })
      expect(featuresBytes(profile!)).toBeLessThanOrEqual(MAX_PROFILE_FEATURES_BYTES)
      isNarrowed ||= profile!.features!.narrowed !== undefined
    })
    expect(isNarrowed).toBe(true)
    expect(valueIn(profile!, 'page_views')).toBe(30)
    expect(valueIn(profile!, 'page_views_24h')).toBe(30)
    expect(valueIn(profile!, 'session_page_views', '', NOON + 530 * MINUTE)).toBe(30)
  })

  it('hold the same however the messages are cut into batches', () => {
    const whole = heldBy(apply(many))
    fc.assert(
      fc.property(fc.array(fc.nat({ max: many.length }), { maxLength: 12 }), cuts => {
        expect(heldBy(apply(many, cuts))).toEqual(whole)
      }),
      { numRuns: 6 },
    )
  })

  it('hold the same in any order, where nothing leaves its window', () => {
    const [views] = compileOf(['views', 'spent', 'shops'])
    const held = (messages: readonly StoredMessage[]) => apply(messages, [], views).features!
    const inOrder = held(many)
    expect(Object.keys(inOrder.narrowed!.of).length).toBeGreaterThan(0)
    fc.assert(
      fc.property(fc.shuffledSubarray(many, { minLength: many.length }), other => {
        const { of, narrowed } = held(other)
        expect({ of, narrowed }).toEqual({ of: inOrder.of, narrowed: inOrder.narrowed })
      }),
      { numRuns: 5 },
    )
  })

  it('say of each key that is left what they would have said without a bound, in any order', () => {
    const draft = draftFeatures(emptyStates(0), features)
    for (const message of many) draft.add(message, Date.parse(message.timestamp))
    const at = NOON + 400 * MINUTE
    const unbounded = featureValues(draft.soFar(), features, at)
    fc.assert(
      fc.property(fc.shuffledSubarray(many, { minLength: many.length }), other => {
        const values = featureValues(apply(other).features!, features, at)
        for (const name of ['views', 'spent', 'shops', 'views_30d', 'category_affinity', 'in_session']) {
          const left = Object.entries(values.get(name)!.value as object)
          const all = unbounded.get(name)!.value as Record<string, unknown>
          for (const [key, value] of left) if (key in all) expect([name, key, value]).toEqual([name, key, all[key]])
        }
      }),
      { numRuns: 5 },
    )
  })

  it('estimate a number of different values with fewer registers', () => {
    const profile = apply(many)
    expect(profile.features!.narrowed!.step).toBeGreaterThan(1)
    expect(valueIn(profile, 'number_30d')).toBeGreaterThan(110)
    expect(valueIn(profile, 'number_30d')).toBeLessThan(190)
  })

  function compileOf(names: string[]) {
    return [
      compileFeatures(
        [],
        declared.filter(({ name }) => names.includes(name)),
        () => () => true,
      ),
    ] as const
  }
})

describe('a hostile visitor of many users', () => {
  const users = Array.from({ length: 25 }, (_, index) => long(`user ${index}`))
  const messages = Array.from({ length: 500 }, (_, index) => {
    const userId = users[index % 25]!
    return index % 2 === 0 ? view(index, { userId }) : page(index, userId)
  })

  it('keeps counting, each page once, for a user that is told apart or with the others', () => {
    const profile = apply(messages, [100, 101, 350])
    expect(featuresBytes(profile)).toBeLessThanOrEqual(MAX_PROFILE_FEATURES_BYTES)
    const { features: ofBrowser, featuresByUser } = profile
    const pages = [ofBrowser!, ...Object.values(featuresByUser!)].map(
      states => featureValues(states, features, NOON + DAY).get('page_views')!.value as number,
    )
    expect(pages.reduce((a, b) => a + b)).toBe(250)
    expect(heldBy(profile)).toEqual(heldBy(apply(messages)))
    const later = apply([...messages, page(600), page(601)])
    expect(valueIn(later, 'page_views')).toBe(2)
    expect(valueIn(later, 'session_page_views', '', NOON + 601 * MINUTE)).toBe(2)
  })

  it('holds no more whatever a site declares', () => {
    const all = Array.from({ length: 200 }, (_, index) => ({
      ...{ name: `f${index}`, source: { event: 'Viewed' }, aggregate: 'last' as const, window: '24h' },
      ...{ value: 'properties.product', by: index % 2 ? 'properties.shop' : 'properties.tags' },
    }))
    const wide = compileFeatures(BUILT_IN_FEATURES, all, () => () => true)
    for (const count of [1, 3, 60]) {
      const profile = apply(messages.slice(0, count), [], wide)
      expect(featuresBytes(profile)).toBeLessThanOrEqual(MAX_PROFILE_FEATURES_BYTES)
      expect(memoryOf(profile.features!.narrowed)).toBeLessThan(64 * 1024)
    }
  })
})

describe('merges of narrowed states', () => {
  const parts = [0, 1, 2].map(part => {
    const length = [400, 40, 120][part]!
    return apply(Array.from({ length }, (_, index) => view(1_000 * part + index, { product: index % 130 }))).features!
  })

  it('are the same in any order and grouping', () => {
    const [a, b, c] = parts as [(typeof parts)[0], (typeof parts)[0], (typeof parts)[0]]
    expect(a.narrowed).toBeDefined()
    expect(b.narrowed).toBeUndefined()
    const merged = mergeStates(mergeStates(a, b, features), c, features)
    expect(mergeStates(a, mergeStates(c, b, features), features)).toEqual(merged)
    expect(mergeStates(mergeStates(b, c, features), a, features)).toEqual(merged)
    expect(mergeStates(a, emptyStates(0), features)).toEqual(a)
  })

  it('have for each key what both had', () => {
    const [a, b] = parts as [(typeof parts)[0], (typeof parts)[0]]
    const at = NOON + DAY
    const viewsOf = (states: typeof a) =>
      featureValues(states, features, at).get('views')!.value as Record<string, number>
    const merged = viewsOf(mergeStates(a, b, features))
    expect(Object.keys(merged).length).toBeGreaterThan(3)
    for (const [key, count] of Object.entries(merged)) {
      const product = Number(/product (\d+)/.exec(key)![1])
      expect(count).toBe([400, 40].reduce((sum, length) => sum + Math.ceil((length - product) / 130), 0))
    }
  })
})

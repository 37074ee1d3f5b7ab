import type { EventEnvelope, JsonObject, MessageContext, Profile, StoredMessage } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { BUILT_IN_FEATURES } from '#core/features/built-in.js'
import { compileFeatures } from '#core/features/compile.js'
import { HALF_LIFE_MS, MAX_CATEGORIES } from '#core/profile/affinities.js'
import { applyEnvelope, REMEMBERED_MESSAGES } from '#core/profile/apply.js'
import { applyMessage } from '#core/profile/apply-message.js'
import { MAX_TRAITS } from '#core/profile/traits/trait-set.js'

const WHO = { siteId: 'shop', visitorId: 'v1' }
const NOW = Date.UTC(2026, 0, 10, 12)
const MINUTE = 60_000
const HOUR = 60 * MINUTE

let ids = 0
function message(at: number, fields: Partial<StoredMessage> = {}): StoredMessage {
  const timestamp = new Date(at).toISOString()
  return { messageId: `m${ids++}`, type: 'track', event: 'Seen', anonymousId: 'v1', timestamp, ...fields }
}

function viewed(at: number, category: string, event = 'Product Viewed'): StoredMessage {
  return message(at, { event, properties: { category } })
}

function after(messages: StoredMessage[], from?: Profile): Profile {
  let profile = from
  for (const one of messages) profile = applyMessage(profile, one, WHO)
  if (!profile) throw new Error('no messages')
  return profile
}

function envelope(...messages: StoredMessage[]): EventEnvelope {
  return { ...WHO, receivedAt: new Date(NOW).toISOString(), messages }
}

describe('a profile', () => {
  it('knows when the visitor was first and last seen, whatever the order of arrival', () => {
    const profile = after([message(NOW), message(NOW - HOUR), message(NOW + HOUR)])
    expect(profile.firstSeen).toBe(new Date(NOW - HOUR).toISOString())
    expect(profile.lastSeen).toBe(new Date(NOW + HOUR).toISOString())
    expect(profile.events).toBe(3)
  })

  it('takes the user from the newest message that names one', () => {
    const profile = after([
      message(NOW, { userId: 'u2' }),
      message(NOW - HOUR, { userId: 'u1' }),
      message(NOW + MINUTE),
    ])
    expect(profile.userId).toBe('u2')
    const late = after([message(NOW), message(NOW - HOUR, { userId: 'u1' }), message(NOW - MINUTE, { userId: 'u2' })])
    expect(late.userId).toBe('u2')
  })

  it('merges traits; null removes one, and late messages change only what nothing later named', () => {
    const identify = (at: number, traits: StoredMessage['traits']) => message(at, { type: 'identify', traits })
    const profile = after([
      identify(NOW, { name: 'Ada', plan: 'free', old: 1 }),
      identify(NOW + 1, { plan: 'paid', old: null }),
      identify(NOW - HOUR, { name: 'A.', city: 'Oslo' }),
    ])
    expect(profile.traits).toEqual({ name: 'Ada', plan: 'paid', city: 'Oslo' })
    const late = after([
      message(NOW),
      identify(NOW - 3 * HOUR, { name: 'A.', city: 'Oslo' }),
      identify(NOW - HOUR, { city: null, name: 'Ada' }),
      identify(NOW - 2 * HOUR, { city: 'Rome' }),
    ])
    expect(late.traits).toEqual({ name: 'Ada' })
  })

  it('goes on with traits that were stored before their times were noted', () => {
    const identify = (at: number, traits: StoredMessage['traits']) => message(at, { type: 'identify', traits })
    const {
      traitTimes: _times,
      traitTimesByUser: _ofUsers,
      ...older
    } = after([identify(NOW, { plan: 'free', city: 'Oslo' })])
    const at = (time: number, traits: StoredMessage['traits']) => after([identify(time, traits)], older)
    expect(at(NOW - HOUR, { plan: 'paid', name: 'Ada' }).traits).toEqual({ plan: 'free', city: 'Oslo', name: 'Ada' })
    expect(at(NOW + HOUR, { plan: 'paid', city: null }).traits).toEqual({ plan: 'paid' })
  })

  it('bounds traits in number and length and refuses keys of the prototype', () => {
    const many = Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`t${i}`, i]))
    const traits = { ...many, ...JSON.parse('{"__proto__": {"admin": true}, "constructor": 1}') }
    const profile = after([message(NOW, { type: 'identify', traits: { long: 'x'.repeat(5_000), ...traits } })])
    expect(Object.keys(profile.traits)).toHaveLength(MAX_TRAITS)
    expect(profile.traits).not.toHaveProperty('long')
    expect(Object.hasOwn(profile.traits, '__proto__')).toBe(false)
    expect(Object.hasOwn(profile.traits, 'constructor')).toBe(false)
    expect(({} as Record<string, unknown>).admin).toBeUndefined()
  })
})

describe('sessions', () => {
  it('end after a pause of 30 minutes', () => {
    const profile = after([message(NOW), message(NOW + 29 * MINUTE), message(NOW + 60 * MINUTE)])
    expect(profile.sessions).toBe(2)
    expect(profile.session?.startedAt).toBe(new Date(NOW + 60 * MINUTE).toISOString())
  })

  it('last 24 hours at most', () => {
    const steps = Array.from({ length: 26 * 3 + 1 }, (_, i) => message(NOW + i * 20 * MINUTE))
    expect(after(steps).sessions).toBe(2)
  })

  it('are the ones that the browser names', () => {
    const inSession = (at: number, sessionId: string) => message(at, { context: { sessionId } })
    const profile = after([inSession(NOW, 'a'), inSession(NOW + HOUR, 'a'), inSession(NOW + HOUR + 1, 'b')])
    expect(profile.sessions).toBe(2)
    expect(profile.session?.id).toBe('b')
  })

  it('are not disturbed by late messages or imported history', () => {
    const now = after([message(NOW, { context: { sessionId: 'now' } })])
    const profile = after(
      [
        message(NOW - HOUR, { context: { sessionId: 'before' } }),
        message(Date.UTC(2019, 10, 24)),
        message(NOW + MINUTE, { context: { sessionId: 'now' } }),
      ],
      now,
    )
    expect(profile.sessions).toBe(1)
    expect(profile.session).toEqual({
      id: 'now',
      startedAt: new Date(NOW).toISOString(),
      lastAt: new Date(NOW + MINUTE).toISOString(),
    })
    expect(profile.firstSeen).toBe('2019-11-24T00:00:00.000Z')
  })

  it('of imported history alone are derived from its own times', () => {
    const then = Date.UTC(2019, 10, 24)
    const profile = after([message(then), message(then + MINUTE), message(then + 2 * HOUR)])
    expect(profile.sessions).toBe(2)
    expect(profile.lastSeen).toBe('2019-11-24T02:00:00.000Z')
  })
})

describe('affinities', () => {
  it('weigh events by what they cost the visitor', () => {
    const profile = after([
      viewed(NOW, 'shoes'),
      viewed(NOW, 'hats', 'Product Added'),
      message(NOW, { type: 'page', event: undefined, properties: { category: 'bags' } }),
      message(NOW, {
        event: 'Order Completed',
        properties: { products: [{ category: 'hats' }, { category: 'hats' }] },
      }),
      message(NOW, { event: 'constructor', properties: { category: 'none' } }),
    ])
    expect(profile.affinities).toEqual({ hats: 8, shoes: 1, bags: 0.5 })
  })

  it('count articles as the feature does', () => {
    expect(after([viewed(NOW, 'tea', 'Article Read')]).affinities).toEqual({ tea: 1 })
  })

  it('have the events, weights and condition of the site’s own category_affinity', () => {
    const where = { 'properties.price': { $gt: 10 } }
    const own = { name: 'category_affinity', by: 'properties.genre', aggregate: 'count', halfLife: '7d' } as const
    const features = compileFeatures(
      BUILT_IN_FEATURES,
      [{ ...own, source: { events: { Watched: 4, 'Product Viewed': 2 }, where } }],
      () => one => Number(one.properties?.price) > 10,
      1,
    )
    const seen = (event: string, properties: JsonObject) => message(NOW, { event, properties })
    const stream = envelope(
      seen('Watched', { genre: 'crime', price: 11 }),
      seen('Watched', { genre: 'crime', price: 9 }),
      seen('Product Viewed', { genre: ['crime', 'love'], category: 'books', price: 12 }),
      seen('Product Added', { genre: 'war', price: 12 }),
    )
    expect(applyEnvelope(undefined, stream, 1, { features })?.affinities).toEqual({ crime: 6, love: 2 })
  })

  it('keep the built-in weights where category_affinity is switched off', () => {
    const features = compileFeatures(BUILT_IN_FEATURES, [{ name: 'category_affinity', off: true }], () => () => true, 1)
    const profile = applyEnvelope(undefined, envelope(viewed(NOW, 'tea')), 1, { features })
    expect(profile?.affinities).toEqual({ tea: 1 })
  })

  it('follow clicks on content of slots, by the category that the collector knew', () => {
    const clicked = (context: MessageContext | undefined, properties: JsonObject = {}) =>
      message(NOW, {
        event: 'Slot Clicked',
        properties: { slotId: 'hero', contentId: 'tents', ...properties },
        ...(context ? { context } : {}),
      })
    const profile = after([
      clicked({ content: { category: 'camp' } }),
      clicked({ content: { category: 'camp' } }, { category: 'garden' }),
      clicked(undefined),
      clicked({ content: 'text' as never }),
      clicked({ content: { category: 7 as never } }),
      // Only clicks on slots are about content.
      message(NOW, { event: 'Product Viewed', properties: {}, context: { content: { category: 'none' } } }),
      message(NOW, { event: 'Slot Viewed', properties: {}, context: { content: { category: 'none' } } }),
    ])
    expect(profile.affinities).toEqual({ camp: 1, garden: 1 })
  })

  it('halve within a week', () => {
    const profile = after([viewed(NOW, 'shoes', 'Product Added'), viewed(NOW + HALF_LIFE_MS, 'hats')])
    expect(profile.affinities.shoes).toBeCloseTo(1.5)
    expect(profile.affinities.hats).toBe(1)
  })

  it('count late messages as if they had come in time', () => {
    const first = viewed(NOW - HALF_LIFE_MS, 'shoes')
    const second = viewed(NOW, 'hats')
    const inOrder = after([first, second])
    const late = after([second, first])
    expect(late.affinities.shoes).toBeCloseTo(inOrder.affinities.shoes ?? 0)
    expect(late.affinities.hats).toBeCloseTo(inOrder.affinities.hats ?? 0)
    expect(late.affinitiesAt).toBe(inOrder.affinitiesAt)
  })

  it('keep the strongest categories only', () => {
    const weak = Array.from({ length: MAX_CATEGORIES + 10 }, (_, i) => viewed(NOW + i, `c${i}`))
    const profile = after([viewed(NOW, 'strong', 'Order Completed'), ...weak])
    expect(Object.keys(profile.affinities)).toHaveLength(MAX_CATEGORIES)
    expect(profile.affinities.strong).toBeGreaterThan(4)
  })

  it('hold categories named like parts of the prototype', () => {
    const profile = after([viewed(NOW, '__proto__'), viewed(NOW, 'constructor'), viewed(NOW, 'constructor')])
    const stored = JSON.parse(JSON.stringify(profile)) as Profile
    expect(Object.entries(stored.affinities)).toEqual([
      ['constructor', 2],
      ['__proto__', 1],
    ])
  })
})

describe('a stream message', () => {
  it('that was applied before changes nothing', () => {
    const one = envelope(viewed(NOW, 'shoes'))
    const profile = applyEnvelope(undefined, one, 5)
    expect(applyEnvelope(profile, one, 5)).toBe(profile)
    expect(applyEnvelope(profile, envelope(viewed(NOW, 'hats')), 4)).toBe(profile)
  })

  it('that repeats a message id counts once, within the remembered ones', () => {
    const first = viewed(NOW, 'shoes')
    const before = applyEnvelope(undefined, envelope(first, first), 1)
    const others = Array.from({ length: REMEMBERED_MESSAGES - 1 }, () => message(NOW))
    const profile = applyEnvelope(applyEnvelope(before, envelope(...others), 2), envelope(first), 3)
    expect(profile?.events).toBe(REMEMBERED_MESSAGES)
    expect(profile?.affinities).toEqual({ shoes: 1 })
    expect(profile?.seq).toBe(3)
    expect(profile?.recent).toHaveLength(REMEMBERED_MESSAGES)
  })

  it('that is sent a second time as a whole counts once, however long it is', () => {
    const long = envelope(...Array.from({ length: 3 * REMEMBERED_MESSAGES }, () => viewed(NOW, 'shoes')))
    const profile = applyEnvelope(applyEnvelope(undefined, long, 1), long, 2)
    expect(profile?.events).toBe(3 * REMEMBERED_MESSAGES)
    const after = applyEnvelope(profile, envelope(viewed(NOW, 'hats')), 3)
    expect(after?.recent).toHaveLength(REMEMBERED_MESSAGES)
  })

  it('never changes the profile it was given, not even when it fails half-way', () => {
    const before = applyEnvelope(undefined, envelope(viewed(NOW, 'shoes')), 1)
    const copy = structuredClone(before)
    expect(() => applyEnvelope(before, envelope(viewed(NOW, 'hats'), message(NOW, { timestamp: 'soon' })), 2)).toThrow(
      'timestamp',
    )
    expect(before).toEqual(copy)
  })

  it('gives the same profile when the state in between went through the store', () => {
    const steps = Array.from({ length: 30 }, (_, i) => envelope(viewed(NOW + i * 17 * MINUTE, `c${i % 7}`)))
    let straight: Profile | undefined
    let stored: Profile | undefined
    for (const [i, step] of steps.entries()) {
      straight = applyEnvelope(straight, step, i + 1)
      stored = applyEnvelope(stored && JSON.parse(JSON.stringify(stored)), step, i + 1)
    }
    expect(stored).toEqual(straight)
  })
})

describe('a sender that is spread', () => {
  it('has no profile', () => {
    expect(applyEnvelope(undefined, { ...envelope(message(NOW)), spread: true }, 1)).toBeUndefined()
  })
})

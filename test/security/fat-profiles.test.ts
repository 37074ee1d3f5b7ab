import { execFileSync } from 'node:child_process'
import { hash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { MAX_TRAIT_VALUES, MAX_TRAITS_BYTES, type Profile, type StoredMessage } from '@slotstream/protocol'
import { connectNats, createLog, type Nats } from '@slotstream/runtime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createProfileCache } from '#aggregator/profiles/cache/profile-cache.js'
import { MAX_PROFILE_FEATURES_BYTES } from '#core/profile/features/ladder.js'
import { featuresBytes, profileBytes } from '#core/profile/profile-size.js'
import { MAX_PROFILE_TRAITS_BYTES } from '#core/profile/traits/traits.js'
import { profileKeysOf } from '../support/profile-keys.js'
import { applyAndDetect } from '../support/signals.js'
import { type System, startSystem } from '../support/system.js'
import { until } from '../support/until.js'
import { WITHOUT_LIMITS_ENV } from '../support/without-limits.js'

const log = createLog('test')
log.level = 'silent'

const MB = 1024 * 1024
const AT = '2026-01-01T00:00:00.000Z'

/** What profiles may take, and what the engine has: far less than the attack would take. */
const MEMORY_MB = 64
const HEAP_MB = 288

/** Bytes of the largest profile there can be, as `profileBytes` counts them. */
const LARGEST_PROFILE = 512 * 1024

/** Text of JSON that is many times as large when it is parsed. */
const nests = (count: number) => Array.from({ length: count }, () => [])

let system: System
let nats: Nats
let keyOf: (siteId: string, visitorId: string) => string

beforeAll(async () => {
  system = await startSystem({
    PROFILES_MEMORY_MB: String(MEMORY_MB),
    NODE_OPTIONS: `--max-old-space-size=${HEAP_MB}`,
    RATE_LIMIT_ADDRESS: '0',
    ...WITHOUT_LIMITS_ENV,
  })
  nats = await connectNats(system.natsUrl, 'test', log)
  keyOf = await profileKeysOf(nats)
})
afterAll(async () => {
  await nats?.close()
  await system?.stop()
})

interface Answer {
  accepted: number
  rejected: { code: string; messageId: string }[]
}

async function send(batch: object[]): Promise<Answer> {
  const response = await until(
    'the batch is taken',
    () =>
      fetch(`${system.collectorUrl}/v1/batch?writeKey=demo`, {
        method: 'POST',
        // Not compressed: what becomes that much larger would be rejected for it.
        body: JSON.stringify({ batch }),
      }),
    ({ status }) => status === 200,
  )
  return (await response.json()) as Answer
}

const identify = (messageId: string, anonymousId: string, traits: object) => ({
  ...{ messageId, type: 'identify', anonymousId, traits },
})

async function count(sql: string): Promise<number> {
  return Number((await system.query<{ n: number }>(`SELECT count() AS n FROM slotstream.${sql}`))[0]!.n)
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${system.aggregatorUrl}/metrics`)).text()
  return Number(new RegExp(`^slotstream_${name} (\\S+)$`, 'm').exec(text)?.[1])
}

async function ready() {
  await until(
    'the aggregator is ready',
    () => fetch(`${system.aggregatorUrl}/readyz`),
    ({ ok }) => ok,
    { timeoutMs: 90_000 },
  )
}

function stored(messageId: string, fields: Partial<StoredMessage> = {}): StoredMessage {
  return { messageId, type: 'track', event: 'E', anonymousId: 'v', timestamp: AT, ...fields }
}

describe('the traits of one message', () => {
  it('are bounded in bytes and in values, at the collector', async () => {
    const answer = await send([
      identify('bytes', 'a', { text: 'é'.repeat(MAX_TRAITS_BYTES / 2) }),
      identify('values', 'a', { list: nests(MAX_TRAIT_VALUES) }),
      { ...identify('group', 'a', { list: nests(MAX_TRAIT_VALUES) }), type: 'group', groupId: 'g' },
      identify('fits', 'a', { list: nests(MAX_TRAIT_VALUES - 2), text: 'x'.repeat(10_000) }),
    ])
    expect(answer.accepted).toBe(1)
    expect(answer.rejected.map(({ messageId, code }) => [messageId, code])).toEqual(
      ['bytes', 'values', 'group'].map(id => [id, 'traits_too_large']),
    )
    await until(
      'they are rows',
      () => count("rejected_events WHERE code = 'traits_too_large'"),
      n => n === 3,
    )
  })
})

describe('a profile', () => {
  it('has a largest size, whatever its visitor sends', () => {
    const wide = (text: string) => text.padEnd(256, '\u4e2d')
    const messages: StoredMessage[] = []
    for (let i = 0; i < 120; i++) {
      const at = { messageId: wide(`m${i}`), anonymousId: wide('v'), userId: wide('u'), timestamp: AT }
      const category = wide(`category ${i}`)
      const properties = { product_id: wide(`p${i}`), category }
      messages.push(stored('', { ...at, event: 'Order Completed', properties, context: { sessionId: wide(`s${i}`) } }))
      const traits = { [`t${i}`]: nests(300), [wide(`k${i}`)]: '\u4e2d'.repeat(700) }
      messages.push(stored('', { ...at, type: 'identify', messageId: wide(`i${i}`), traits }))
    }
    for (let i = 0; i < 4_700; i++) messages.push(stored(`x${i}`, { anonymousId: wide('v') }))
    const envelope = { siteId: 'shop', visitorId: wide('v'), receivedAt: AT, messages }
    const { profile, refused } = applyAndDetect(undefined, envelope, 1)
    expect(profileBytes(profile!)).toBeLessThan(LARGEST_PROFILE)
    expect(profileBytes({ ...profile!, traits: {} })).toBeGreaterThan(50_000)
    expect(featuresBytes(profile!)).toBeLessThanOrEqual(MAX_PROFILE_FEATURES_BYTES)
    expect(refused!.length).toBeGreaterThan(50)
    expect(refused![0]).toMatchObject({ code: 'profile_too_large', path: '$.traits' })
  })

  it('keeps counting when its features would make it too large, and says what was left out', async () => {
    const wide = (text: string) => text.padEnd(256, '.')
    const begun = Date.now() - 3_600_000
    for (let round = 0; round < 10; round++)
      await send(
        Array.from({ length: 24 }, (_, i) => {
          const [category, brand, tag] = ['c', 'b', 't'].map(kind => wide(`${kind} ${round} ${i}`))
          const timestamp = new Date(begun + (round * 24 + i) * 1_000).toISOString()
          const product = { product_id: wide(`p ${round} ${i}`), category, brand, tags: [tag, category] }
          const event = i % 2 ? { event: 'Product Viewed' } : { event: 'Page Engaged' }
          const properties = i % 2 ? product : { ...product, activeMs: 100 }
          return {
            messageId: `wide-${round}-${i}`,
            type: 'track',
            ...event,
            anonymousId: 'wide',
            timestamp,
            properties,
          }
        }),
      )
    await send(Array.from({ length: 7 }, (_, i) => ({ messageId: `page-${i}`, type: 'page', anonymousId: 'wide' })))
    type Values = Record<string, { value: unknown; narrowed?: number }>
    const { features } = await until(
      'all pages are counted',
      async () => (await system.admin('GET', '/sites/demo/profiles/wide')) as { features: Values },
      ({ features: values }) => values.page_views?.value === 7,
    )
    expect(features.session_page_views!.value).toBe(7)
    expect(features.session_page_views).not.toHaveProperty('narrowed')
    expect(features.session_page_views).not.toHaveProperty('approximate')
    expect(features.tag_affinity!.narrowed).toBeLessThan(1)
    expect(features.tag_affinity).toHaveProperty('approximate', true)
    expect(Object.keys(features.tag_affinity!.value as object).length).toBeGreaterThan(5)
    expect(await metric('profiles_narrowed_total')).toBeGreaterThan(0)
    const stored = await until(
      'it is stored',
      async () => (await (await nats.kvm.open('profiles')).get(keyOf('demo', 'wide')))!.json<Profile>(),
      ({ events }) => events === 247,
    )
    expect(featuresBytes(stored)).toBeLessThanOrEqual(MAX_PROFILE_FEATURES_BYTES)
    await until(
      'analysts see it',
      () =>
        count(
          "features WHERE anonymous_id = 'wide' AND feature = '(narrowed)' AND key = 'tag_affinity' AND number < 1",
        ),
      n => n === 1,
    )
    const marks =
      "features WHERE anonymous_id = 'wide' AND feature = '(approximate)' AND key = 'tag_affinity' AND number = 1"
    expect(await count(marks)).toBe(1)
  })

  it('keeps what it has when a message would make it too large, and says so once, also after a replay', async () => {
    const piece = () => ({ list: nests(250) })
    const ids = Array.from({ length: 9 }, (_, i) => `grow-${i}`)
    for (const [i, id] of ids.entries()) await send([identify(id, 'grower', { [`t${i}`]: piece() })])
    await send([identify('small', 'grower', { name: 'Ann' })])
    const refused = "rejected_events WHERE code = 'profile_too_large'"
    await until(
      'the refusals are rows',
      () => count(refused),
      n => n > 0,
    )
    const key = keyOf('demo', 'grower')
    const profile = await until(
      'the profile has the small trait',
      async () => (await (await nats.kvm.open('profiles')).get(key))!.json<Profile>(),
      ({ traits }) => traits.name === 'Ann',
    )
    const taken = Object.keys(profile.traits).length - 1
    expect(profileBytes({ ...profile, traits: {} }) + MAX_PROFILE_TRAITS_BYTES).toBeGreaterThan(profileBytes(profile))
    // Every message is an event; what the profile did not take is in rejected_events.
    await until(
      'all are events',
      () => count("events WHERE anonymous_id = 'grower'"),
      n => n === 10,
    )
    await until(
      'all refusals are rows',
      () => count(refused),
      n => n === ids.length - taken,
    )

    // The same found by a replay days later, which the broker does not know any more.
    const { seq } = (await nats.manager.streams.getMessage('REJECTED', { last_by_subj: 'rejected.*' }))!
    for (let at = 1; at <= seq; at++) {
      const message = await nats.manager.streams.getMessage('REJECTED', { seq: at }).catch(() => null)
      if (message?.string().includes('profile_too_large')) await nats.js.publish(message.subject, message.data)
    }
    const marker = {
      siteId: 'demo',
      receivedAt: AT,
      rejected: [{ messageId: null, code: 'c', reason: 'r', payload: '' }],
    }
    await nats.js.publish('rejected.0', JSON.stringify(marker))
    await until(
      'what came after is a row',
      () => count("rejected_events WHERE code = 'c'"),
      n => n === 1,
    )
    expect(await count(refused)).toBe(ids.length - taken)
    const [row] = await system.query<{ payload: string }>(`SELECT payload FROM slotstream.${refused} LIMIT 1`)
    expect(JSON.parse(row!.payload)).toMatchObject({ type: 'identify', anonymousId: 'grower' })
  })

  it('is smaller in memory than it is counted', () => {
    const script = fileURLToPath(new URL('./heap-of-traits.mjs', import.meta.url))
    const output = execFileSync(process.execPath, ['--expose-gc', script], { encoding: 'utf8' })
    const measured = JSON.parse(output) as { shape: string; heap: number; counted: number }[]
    expect(measured.length).toBeGreaterThan(8)
    for (const { shape, heap, counted } of measured) expect([shape, counted >= heap]).toEqual([shape, true])
  })
})

describe('the profiles in memory', () => {
  it('leave by bytes as by number, the one used longest ago first, and never before they are stored', () => {
    const of = (visitorId: string): Profile => {
      const message = stored('m', { type: 'identify', anonymousId: visitorId, traits: { list: nests(300) } })
      return applyAndDetect(undefined, { siteId: 'shop', visitorId, receivedAt: AT, messages: [message] }, 1).profile!
    }
    const size = profileBytes(of('v0'))
    const cache = createProfileCache({
      maxProfiles: 1_000,
      maxBytes: 10 * size,
      read: async () => ({ profile: undefined, revision: 0 }),
    })
    for (let i = 0; i < 50; i++) cache.load(of(`v${i}`), i + 1)
    expect(cache.size).toBeLessThanOrEqual(10)
    expect(cache.bytes).toBeLessThanOrEqual(10 * size)
    expect(cache.get('shop', 'v49')).toMatchObject({ visitorId: 'v49' })
    for (let i = 100; i < 130; i++) cache.put(of(`v${i}`))
    expect(cache.unstoredSize).toBe(30)
    expect(cache.unstoredBytes).toBeGreaterThan(29 * size)
    for (const { profile } of cache.unstored()) cache.markStored(profile, 1)
    expect(cache.unstoredBytes).toBe(0)
    expect(cache.bytes).toBeLessThanOrEqual(10 * size)
  })

  it('are stored at their revision, also one that is too large for memory and leaves before it is changed', async () => {
    const message = stored('m', { anonymousId: 'v' })
    const envelope = { siteId: 'shop', visitorId: 'v', receivedAt: AT, messages: [message] }
    const profile = applyAndDetect(undefined, envelope, 1).profile!
    const cache = createProfileCache({
      maxProfiles: 1_000,
      maxBytes: 1,
      read: async () => ({ profile, revision: 7 }),
    })
    const read = await cache.get('shop', 'v')
    expect(cache.size).toBe(0)
    const after = { ...read!, seq: 2 }
    cache.put(after)
    expect(cache.unstored()).toEqual([{ profile: after, revision: 7 }])
  })

  it('stay within their bound under attack, and after a kill, also with profiles from before there was one', async () => {
    // Each is small as text, and as large in memory as the bounds let it be.
    const traits = Object.fromEntries(Array.from({ length: 3 }, (_, i) => [`t${i}`, nests(240)]))
    for (let round = 0; round < 30; round++)
      await send(Array.from({ length: 50 }, (_, i) => identify(`a${round}-${i}`, `attacker-${round}-${i}`, traits)))
    await until(
      'none waits to be stored',
      () => metric('profiles_unstored'),
      n => n === 0,
      { timeoutMs: 60_000 },
    )
    expect(await metric('profiles_memory_bytes')).toBeLessThanOrEqual(MEMORY_MB * MB)
    expect(await metric('profiles_memory_bytes')).toBeGreaterThan((MEMORY_MB / 3) * MB)

    // As they could be stored before: 100 traits of 1,000 characters, 1.3 MB in memory. 160 of them are 200 MB.
    const old: Profile = {
      ...{ siteId: 'demo', visitorId: '', anonymousId: '', userId: 'u', firstSeen: AT, lastSeen: AT, sessions: 1 },
      ...{ session: null, events: 1, affinities: {}, affinitiesAt: AT, segments: [], seq: 0, recent: [] },
      traits: Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`t${i}`, nests(330)])),
    }
    for (let i = 0; i < 160; i++) {
      const visitorId = hash('sha256', `old-${i}`)
      await nats.js.publish(
        `$KV.profiles.${keyOf('demo', visitorId)}`,
        JSON.stringify({ ...old, visitorId, anonymousId: visitorId }),
      )
    }
    const before = await system.pidOf('aggregator')
    await system.kill('aggregator')
    await until(
      'it was started again',
      () => system.pidOf('aggregator'),
      pid => pid !== before,
    )
    await ready()
    const started = await system.pidOf('aggregator')
    // All of them come back at once.
    const visitors = Array.from({ length: 160 }, (_, i) => hash('sha256', `old-${i}`))
    await send(
      visitors.map((anonymousId, i) => ({ messageId: `back-${i}`, type: 'track', event: 'Back', anonymousId })),
    )
    const bucket = await nats.kvm.open('profiles')
    for (const visitorId of visitors)
      await until(
        'the event counts in the old profile',
        async () => (await bucket.get(keyOf('demo', visitorId)))!.json<Profile>(),
        ({ sessions, userId }) => sessions === 2 && userId === 'u',
        { timeoutMs: 180_000 },
      )
    await until(
      'none waits to be stored',
      () => metric('profiles_unstored'),
      n => n === 0,
      { timeoutMs: 60_000 },
    )
    expect(await metric('profiles_memory_bytes')).toBeLessThanOrEqual(MEMORY_MB * MB)
    expect(await system.pidOf('aggregator')).toBe(started)
  }, 400_000)
})

import { compileSegments, DEFAULT_FEATURES, personOfProfile } from '@slotstream/core'
import type { DecideRequest, DecisionEnvelope, EventEnvelope, Profile } from '@slotstream/protocol'
import { createLog } from '@slotstream/runtime'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createCatalog } from '#aggregator/decisions/catalog.js'
import { costOf } from '#aggregator/decisions/cost.js'
import { createDecider, type DeciderDeps } from '#aggregator/decisions/decider.js'
import { NO_MODELS } from '#aggregator/decisions/models.js'
import { createTurns } from '#aggregator/decisions/turns.js'
import { applyEnvelope } from '#core/profile/apply.js'

const log = createLog('test')
log.level = 'silent'
const segments = compileSegments([])
if (!segments.ok) throw new Error(segments.reason)
const definitions = { features: DEFAULT_FEATURES, segments: segments.value }

const request = (slot: string, fields: Partial<DecideRequest> = {}): DecideRequest => ({
  siteId: 'shop',
  visitorId: 'v1',
  anonymousId: 'v1',
  slots: [{ id: slot }],
  after: 0,
  deadlineMs: 1_000,
  explain: false,
  ...fields,
})

function readers(profile: () => Profile | undefined = () => undefined): DeciderDeps['profiles'] {
  return {
    profileOf: async () => profile(),
    personOf: async known => personOfProfile('v1', known, Date.now()),
    definitionsOf: () => definitions,
    waitFor: async () => true,
    ageMs: () => 0,
    holds: () => true,
  }
}

/** A decider over a stream in memory, which applies what it is told when it stores it. */
function start(fields: Partial<DeciderDeps> = {}, beforeStored: (subject: string) => Promise<void> = async () => {}) {
  const catalog = createCatalog()
  const stored: { subject: string; envelope: unknown }[] = []
  let profile: Profile | undefined
  const decide = createDecider({
    publisher: {
      async publish(subject, data) {
        await beforeStored(subject)
        const envelope: unknown = JSON.parse(data as string)
        const seq = stored.push({ subject, envelope })
        if (subject.startsWith('events')) profile = applyEnvelope(profile, envelope as EventEnvelope, seq)
        return { seq, duplicate: false }
      },
    },
    profiles: readers(() => profile),
    catalog,
    models: NO_MODELS,
    log,
    onUnrecorded: () => {},
    ...fields,
  })
  return { catalog, decide, stored }
}

describe('a request for much', () => {
  const many = Array.from({ length: 3 }, () => ({ id: 'hero', count: 50 }))

  it('costs positions times contents, beyond what a page asks for', async () => {
    const { catalog, decide } = start()
    catalog.set('shop.slot.hero', { id: 'hero', policy: { type: 'random' } })
    for (let n = 0; n < 200; n++) catalog.set(`shop.content.c${n}`, { id: `c${n}`, slots: ['hero'] })
    expect(costOf((await decide(request('hero'), 0))!)).toBe(0)
    expect(costOf((await decide(request('hero', { slots: many }), 0))!)).toBe((3 * 50 * 200 - 1_000) / 250)
  })

  it('is given up between its slots once its time is over', async () => {
    const { catalog, decide } = start()
    catalog.set('shop.slot.hero', { id: 'hero', policy: { type: 'random' } })
    for (let n = 0; n < 2_000; n++) catalog.set(`shop.content.c${n}`, { id: `c${n}`, slots: ['hero'] })
    const answered = await decide(request('hero', { slots: many, deadlineMs: 1 }), 0)
    expect(answered?.decisions.map(({ outcome }) => outcome)).toEqual(['timeout', 'timeout', 'timeout'])
  })

  it('is given up, and recorded as late, while its slot is still being compiled, which goes on', async () => {
    const { catalog, decide, stored } = start()
    const slots = [{ id: 'hero' }]
    catalog.set('shop.slot.hero', { id: 'hero', policy: { type: 'random' } })
    for (let n = 0; n < 4_000; n++) catalog.set(`shop.content.c${n}`, { id: `c${n}`, slots: ['hero'] })
    const preview = { show: { hero: ['c1'] } }
    expect((await decide(request('hero', { deadlineMs: 0, preview }), 0))?.decisions).toMatchObject([
      { outcome: 'timeout', items: [], preview: true },
    ])
    expect((await decide(request('hero', { deadlineMs: 0 }), 0))?.decisions).toMatchObject([
      { outcome: 'timeout', items: [] },
    ])
    expect(stored).toMatchObject([{ envelope: { decisions: [{ slotId: 'hero', outcome: 'timeout' }] } }])
    const preparing = catalog.prepare('shop', slots)
    expect(preparing).toBeDefined()
    await preparing
    expect((await decide(request('hero'), 0))?.decisions).toMatchObject([{ outcome: 'served' }])
  })

  it('is answered as unavailable, and recorded as nothing, where NATS could not carry the answer', async () => {
    const { catalog, decide, stored } = start()
    catalog.set('shop.slot.hero', { id: 'hero', policy: { type: 'random' } })
    const payload = { text: 'x'.repeat(60_000) }
    for (let n = 0; n < 20; n++) catalog.set(`shop.content.c${n}`, { id: `c${n}`, slots: ['hero'], payload })
    const answered = await decide(request('hero', { slots: [{ id: 'hero', count: 20 }] }), 0)
    expect(answered?.decisions).toMatchObject([{ outcome: 'unavailable', items: [] }])
    expect(stored).toEqual([])
  })

  it('for a position that never comes keeps no other request of the visitor waiting', async () => {
    const { catalog, decide } = start({
      profiles: { ...readers(), waitFor: async (_partition, seq) => seq < 1_000 || new Promise(() => {}) },
    })
    catalog.set('shop.slot.hero', { id: 'hero', policy: { type: 'random' } })
    catalog.set('shop.content.a', { id: 'a', slots: ['hero'], caps: [{ count: 9, per: '1h' }] })
    void decide(request('hero', { after: 1_000 }), 0)
    expect((await decide(request('hero'), 0))?.decisions).toMatchObject([{ outcome: 'served' }])
  })
})

describe('a decision', () => {
  it('does not show what ended while it was being recorded', async () => {
    const endsAt = Date.UTC(2026, 0, 1)
    vi.useFakeTimers({ toFake: ['Date'], now: endsAt - 1 })
    onTestFinished(() => void vi.useRealTimers())
    const { catalog, decide, stored } = start({}, async () => void vi.setSystemTime(endsAt))
    catalog.set('shop.slot.hero', { id: 'hero', policy: { type: 'random' } })
    catalog.set('shop.content.a', { id: 'a', slots: ['hero'], endsAt: new Date(endsAt).toISOString() })
    const answered = await decide(request('hero'), 0)
    expect((stored[0]!.envelope as DecisionEnvelope).decisions[0]).toMatchObject({
      outcome: 'served',
      contentIds: ['a'],
    })
    expect(answered?.decisions).toMatchObject([{ outcome: 'unavailable', items: [] }])
    expect((await decide(request('hero'), 0))?.decisions).toMatchObject([{ outcome: 'empty', items: [] }])
  })

  it('is not shown where the profile could not be told of it', async () => {
    const { catalog, decide } = start({}, async subject => {
      if (subject.startsWith('events')) throw new Error('the stream is full')
    })
    catalog.set('shop.slot.hero', { id: 'hero', policy: { type: 'random' } })
    catalog.set('shop.slot.learns', { id: 'learns' })
    catalog.set('shop.content.a', { id: 'a', slots: ['hero', 'learns'] })
    expect((await decide(request('hero'), 0))?.decisions).toMatchObject([{ outcome: 'served' }])
    expect((await decide(request('learns'), 0))?.decisions).toMatchObject([{ outcome: 'unavailable', items: [] }])
  })

  it('is left to the page where conditions ask for a person who cannot be read, and made where only policies do', async () => {
    const { catalog, decide } = start({
      profiles: {
        profileOf: async () => ({ ...applyEnvelope(undefined, told, 1)! }),
        personOf: async () => Promise.reject(new Error('the owner does not answer')),
        definitionsOf: () => definitions,
        waitFor: async () => true,
        ageMs: () => 0,
        holds: () => true,
      },
    })
    catalog.set('shop.slot.learns', { id: 'learns' })
    catalog.set('shop.slot.asks', { id: 'asks' })
    catalog.set('shop.content.a', { id: 'a', slots: ['learns'] })
    catalog.set('shop.content.b', { id: 'b', slots: ['asks'], where: { 'traits.plan': 'pro' } })
    expect((await decide(request('learns'), 0))?.decisions).toMatchObject([{ outcome: 'served' }])
    expect((await decide(request('asks'), 0))?.decisions).toMatchObject([{ outcome: 'timeout' }])
  })
})

const told: EventEnvelope = {
  siteId: 'shop',
  visitorId: 'v1',
  receivedAt: '2026-01-01T00:00:00.000Z',
  messages: [
    { messageId: 'm1', type: 'track', event: 'Seen', anonymousId: 'v1', timestamp: '2026-01-01T00:00:00.000Z' },
  ],
}

describe('turns', () => {
  it('come one after the other, and wait for what the latest that told something told', async () => {
    const turns = createTurns()
    const [first, second, third] = [turns.take('a'), turns.take('a'), turns.take('a')]
    expect(await first.before).toBe(0)
    let isSecond = false
    void second.before.then(() => {
      isSecond = true
    })
    await new Promise(resolve => setImmediate(resolve))
    expect(isSecond).toBe(false)
    first.end(7)
    expect(await second.before).toBe(7)
    second.end()
    expect(await third.before).toBe(7)
    expect(await turns.take('b').before).toBe(0)
  })

  it('remember so many visitors', () => {
    const turns = createTurns(3)
    for (const visitor of ['a', 'b', 'c', 'd', 'a', 'b']) turns.take(visitor).end()
    expect(turns.size).toBe(3)
  })
})

import { applyAndDetect, DEFAULT_PATTERNS } from '@slotstream/core'
import {
  type EventEnvelope,
  type Profile,
  parseProfile,
  type SignalRecord,
  type StoredMessage,
  visitorIdOf,
} from '@slotstream/protocol'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hashText } from '#aggregator/hash-text.js'
import { someSegments } from './some-segments.js'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const NOON = Date.UTC(2026, 10, 1, 12)

const RULES = {
  patterns: DEFAULT_PATTERNS,
  ...someSegments([
    { name: 'campers', where: { 'features.views.camp': { $gte: 2 } } },
    { name: 'busy', where: { 'features.views_1h': { $gte: 3 } }, leaveWhere: { 'features.views_1h': { $lt: 2 } } },
    { name: 'busy-campers', where: { segments: { $all: ['campers', 'busy'] } } },
  ]),
}

let ids = 0

function viewed(at: number, category = 'camp', fields: Partial<StoredMessage> = {}): StoredMessage {
  const timestamp = new Date(at).toISOString()
  const properties = { category }
  return {
    messageId: `m${++ids}`,
    type: 'track',
    event: 'Product Viewed',
    anonymousId: 'b1',
    timestamp,
    properties,
    ...fields,
  }
}

/** One site, all of whose partitions are told at once what they have to be told. */
function createSite(rules: typeof RULES & { includesBots?: boolean } = RULES) {
  const profiles = new Map<string, Profile>()
  const signals: SignalRecord[] = []
  /** Visitors whom nothing reaches that others tell of links. */
  const lost = new Set<string>()
  let seq = 0
  function apply(envelope: Omit<EventEnvelope, 'siteId'>): void {
    const { visitorId } = envelope
    const applied = applyAndDetect(profiles.get(visitorId), { siteId: 'shop', ...envelope }, ++seq, hashText, rules)
    signals.push(...applied.signals.filter(({ signal }) => signal.startsWith('segment_')))
    if (applied.profile) {
      const stored = JSON.parse(JSON.stringify(applied.profile)) as Profile
      expect(parseProfile(stored)).toMatchObject({ ok: true })
      profiles.set(visitorId, stored)
    }
    const { receivedAt } = envelope
    for (const change of applied.identity ?? [])
      for (const side of [`user:${change.userId}`, change.anonymousId])
        if (side !== visitorId && !lost.has(side))
          apply({ visitorId: side, receivedAt, identity: [change], messages: [] })
    for (const { userId, news } of applied.userNews ?? [])
      apply({ visitorId: `user:${userId}`, receivedAt, segments: news, messages: [] })
  }
  const send = (messages: StoredMessage[], at = NOON) =>
    apply({ visitorId: visitorIdOf(messages[0]!), receivedAt: new Date(at).toISOString(), messages })
  return {
    profiles,
    signals,
    lost,
    apply,
    send,
    told: () => signals.map(({ signal, details }) => [signal, details.segment]),
  }
}

it('tell the user of a signal that is found without a message', () => {
  const site = createSite()
  site.send([viewed(NOON, 'camp', { event: 'Product Added', userId: 'ann' })])
  const timer = (hours: number) => ({
    ...{ siteId: 'shop', visitorId: 'b1', receivedAt: new Date(NOON + hours * HOUR).toISOString(), messages: [] },
    timer: { at: NOON + hours * HOUR, anonymousId: 'b1', userId: 'ann' },
  })
  const at = (hours: number) => applyAndDetect(site.profiles.get('b1'), timer(hours), 9, hashText, RULES).userNews
  expect(at(0.1)).toBeUndefined()
  expect(at(1)).toEqual([{ userId: 'ann', news: { anonymousId: 'b1', userId: 'ann', at: NOON + HOUR } }])
})

/** Names a user on as many other browsers as the guard lets through. */
function nameOnOthers({ send }: ReturnType<typeof createSite>): void {
  for (let index = 0; index < 50; index++)
    send([viewed(NOON - HOUR, 'home', { type: 'identify', anonymousId: `n${index}`, userId: 'ann' })], NOON - HOUR)
}

const membersOf = (profile: Profile | undefined) => (profile?.members ?? []).map(([name]) => name)

describe('segments of a visitor', () => {
  it('are entered with the message that shows it, with its id and session, by the clock of the server', () => {
    const { send, signals, profiles } = createSite()
    const second = viewed(NOON - HOUR, 'camp', { context: { sessionId: 's1' } })
    send([viewed(NOON - 2 * HOUR), second, viewed(NOON - HOUR, 'camp')])
    expect(signals).toEqual([
      {
        signalId: expect.stringMatching(/^[\w-]{22}$/),
        signal: 'segment_entered',
        messageId: second.messageId,
        timestamp: new Date(NOON).toISOString(),
        originalTimestamp: new Date(NOON).toISOString(),
        anonymousId: 'b1',
        userId: '',
        sessionId: 's1',
        details: { segment: 'campers' },
      },
    ])
    expect(profiles.get('b1')?.members).toEqual([['campers', NOON]])
  })

  it('are left by what seems to be a program, unless the site wants it', () => {
    const pages = (count: number) =>
      Array.from({ length: count }, (_, n) => viewed(NOON + n * 100, 'camp', { type: 'page', event: undefined }))
    const told = (includesBots: boolean) => {
      const site = createSite({
        ...RULES,
        ...someSegments([{ name: 'readers', where: { 'features.page_views': { $gte: 50 } } }]),
        includesBots,
      })
      site.send(pages(60))
      site.send(pages(60))
      return site.told()
    }
    expect(told(true)).toEqual([['segment_entered', 'readers']])
    expect(told(false)).toEqual([
      ['segment_entered', 'readers'],
      ['segment_left', 'readers'],
    ])
  })

  it('are entered and left within one batch, as in several', () => {
    const rules = {
      patterns: DEFAULT_PATTERNS,
      ...someSegments([{ name: 'one', where: { 'features.views.camp': { $eq: 1 } } }]),
    }
    const messages = [viewed(NOON), viewed(NOON + 1), viewed(NOON + 2)]
    const [whole, cut] = [createSite(rules), createSite(rules)]
    whole.send(messages)
    for (const message of messages) cut.send([message])
    expect(whole.told()).toEqual([
      ['segment_entered', 'one'],
      ['segment_left', 'one'],
    ])
    expect(cut.signals).toEqual(whole.signals)
  })

  it('keep a member until what lets it leave holds, which a time tells', () => {
    const { send, apply, signals, told, profiles } = createSite()
    send([viewed(NOON, 'home'), viewed(NOON, 'home'), viewed(NOON + 20 * MINUTE, 'home')], NOON + 20 * MINUTE)
    const look = (at: number) =>
      apply({
        visitorId: 'b1',
        receivedAt: new Date(at).toISOString(),
        segments: { anonymousId: 'b1', userId: '', at, left: ['busy'] },
        messages: [],
      })
    send([viewed(NOON + 21 * MINUTE, 'home')], NOON + 21 * MINUTE)
    // Two views are left. What the partition found a moment ago counts for nothing.
    look(NOON + 70 * MINUTE)
    expect(told()).toEqual([['segment_entered', 'busy']])
    look(NOON + 80 * MINUTE)
    look(NOON + 90 * MINUTE)
    expect(signals.slice(1)).toMatchObject([
      {
        signal: 'segment_left',
        messageId: `segments@${new Date(NOON + 80 * MINUTE).toISOString()}`,
        details: { segment: 'busy', since: new Date(NOON + 20 * MINUTE).toISOString(), seconds: 60 * 60 },
      },
    ])
    expect(profiles.get('b1')).not.toHaveProperty('members')
  })

  it('go over to the user whom the browser belongs to, and are decided there', () => {
    const { send, apply, signals, profiles } = createSite()
    send([viewed(NOON), viewed(NOON)])
    send([viewed(NOON, 'home', { type: 'identify', userId: 'ann' })], NOON + MINUTE)
    expect(signals.map(({ anonymousId, userId, signal, details }) => [anonymousId, userId, signal, details])).toEqual([
      ['b1', '', 'segment_entered', { segment: 'campers' }],
      ['b1', '', 'segment_left', { segment: 'campers', since: expect.any(String), seconds: 60, reason: 'identified' }],
      ['', 'ann', 'segment_entered', { segment: 'campers', from: 'b1' }],
    ])
    expect(membersOf(profiles.get('b1'))).toEqual([])
    expect(membersOf(profiles.get('user:ann'))).toEqual(['campers'])
    const news = { anonymousId: '', userId: 'ann', at: NOON + HOUR, entered: ['busy', 'gone'], left: ['campers'] }
    const receivedAt = new Date(NOON + HOUR).toISOString()
    for (const _again of [1, 2]) apply({ visitorId: 'user:ann', receivedAt, segments: news, messages: [] })
    expect(signals.slice(3).map(({ signal, details }) => [signal, details.segment])).toEqual([
      ['segment_left', 'campers'],
      ['segment_entered', 'busy'],
    ])
  })

  it('are the browser’s own again when its user is taken from it', () => {
    const { send, apply, told, profiles } = createSite()
    send([viewed(NOON), viewed(NOON), viewed(NOON, 'home', { type: 'identify', userId: 'ann' })])
    const decision = { state: 'undone' as const, at: NOON + HOUR, cause: 'a tablet' }
    const receivedAt = new Date(NOON + HOUR).toISOString()
    apply({ visitorId: 'b1', receivedAt, identity: [{ anonymousId: 'b1', userId: 'ann', decision }], messages: [] })
    expect(told().at(-1)).toEqual(['segment_entered', 'campers'])
    expect(membersOf(profiles.get('b1'))).toEqual(['campers'])
  })

  it('are its own while the user’s guard holds it back, and the user’s when that lets it go', () => {
    const site = createSite()
    nameOnOthers(site)
    site.send([viewed(NOON), viewed(NOON)])
    site.send([viewed(NOON, 'home', { type: 'identify', userId: 'ann' })], NOON + MINUTE)
    expect(site.told()).toEqual([
      ['segment_entered', 'campers'],
      ['segment_left', 'campers'],
      ['segment_entered', 'campers'],
    ])
    expect(site.signals.map(({ anonymousId, userId }) => anonymousId + userId)).toEqual(['b1', 'b1', 'b1'])
    // What it does under the user's id is its own, too.
    const views = [1, 2, 3].map(() => viewed(NOON + MINUTE, 'home', { userId: 'ann' }))
    site.send(views, NOON + 2 * MINUTE)
    expect(membersOf(site.profiles.get('b1'))).toEqual(['busy', 'busy-campers', 'campers'])
    expect(membersOf(site.profiles.get('user:ann'))).toEqual([])
    const decision = { state: 'undone' as const, at: NOON + HOUR, cause: 'a till' }
    const identity = [{ anonymousId: 'n0', userId: 'ann', decision }]
    const receivedAt = new Date(NOON + 3 * MINUTE).toISOString()
    site.apply({ visitorId: 'user:ann', receivedAt, identity, messages: [] })
    expect(membersOf(site.profiles.get('b1'))).toEqual([])
    expect(membersOf(site.profiles.get('user:ann'))).toEqual(['busy', 'busy-campers', 'campers'])
    expect(site.signals.at(-1)).toMatchObject({ userId: 'ann', details: { segment: 'campers', from: 'b1' } })
  })

  it('are set right by the next message where the browser missed what the guard says', () => {
    const site = createSite()
    nameOnOthers(site)
    site.lost.add('b1')
    site.send([viewed(NOON), viewed(NOON, 'camp', { userId: 'ann' })])
    expect([site.told(), site.profiles.get('b1')?.links?.ann?.verdict]).toEqual([[], undefined])
    site.lost.clear()
    site.send([viewed(NOON, 'home', { userId: 'ann' })])
    expect(membersOf(site.profiles.get('b1'))).toEqual(['busy', 'busy-campers', 'campers'])
    // The guard forgets a browser that is deleted, of which nothing is told.
    const user = site.profiles.get('user:ann')!
    const { n0: _deleted, ...links } = user.links!
    site.profiles.set('user:ann', { ...user, links })
    site.send([viewed(NOON, 'home', { userId: 'ann' })])
    expect(site.profiles.get('b1')?.links?.ann?.verdict).toMatchObject({ isHeld: false })
    expect(membersOf(site.profiles.get('b1'))).toEqual([])
    expect(membersOf(site.profiles.get('user:ann'))).toEqual(['busy', 'busy-campers', 'campers'])
  })

  it('cost nothing and leave nothing where a site has none', () => {
    const { send, profiles } = createSite()
    send([viewed(NOON), viewed(NOON)])
    const before = profiles.get('b1')!
    const envelope: EventEnvelope = {
      siteId: 'shop',
      visitorId: 'b1',
      receivedAt: new Date(NOON).toISOString(),
      messages: [viewed(NOON, 'camp', { userId: 'ann' })],
    }
    const { signals, profile, userNews } = applyAndDetect(before, envelope, 99, hashText)
    expect([signals, userNews]).toEqual([[], undefined])
    expect(profile).not.toHaveProperty('members')
  })
})

describe('whatever order messages arrive in, however often and in whatever batches', () => {
  const views = fc.array(
    fc.record({ minutes: fc.integer({ min: 0, max: 50 }), category: fc.constantFrom('camp', 'home') }),
    { minLength: 1, maxLength: 12 },
  )

  it('the members are the same, each entered once, and every signal has its own id', () => {
    fc.assert(
      fc.property(
        views.chain(list => {
          const messages = list.map(({ minutes, category }) => viewed(NOON + minutes * MINUTE, category))
          const twice = [...messages, ...messages]
          return fc.tuple(
            fc.constant(messages),
            fc.shuffledSubarray(twice, { minLength: twice.length }),
            fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 24, maxLength: 24 }),
          )
        }),
        ([messages, shuffled, sizes]) => {
          const [one, other] = [createSite(), createSite()]
          one.send(messages, NOON + HOUR)
          let from = 0
          for (const size of sizes) {
            const batch = shuffled.slice(from, from + size)
            if (batch.length > 0) other.send(batch, NOON + HOUR)
            from += size
          }
          expect(other.profiles.get('b1')!.members).toEqual(one.profiles.get('b1')!.members)
          // Views only add up, and none falls out of its window meanwhile.
          expect(other.told().sort()).toEqual(one.told().sort())
          expect(
            one
              .told()
              .map(([, segment]) => segment)
              .sort(),
          ).toEqual(membersOf(one.profiles.get('b1')))
          expect(new Set(other.signals.map(({ signalId }) => signalId)).size).toBe(other.signals.length)
        },
      ),
    )
  })

  it('a crash anywhere changes no signal', () => {
    fc.assert(
      fc.property(views, fc.nat({ max: 11 }), fc.nat({ max: 11 }), (list, stored, crash) => {
        const messages = list.map(({ minutes, category }) => viewed(NOON + minutes * MINUTE, category))
        const whole = createSite()
        const crashed = createSite()
        const apply = (site: typeof whole, message: StoredMessage, index: number) =>
          site.send([message], NOON + index * 20 * MINUTE)
        for (const [index, message] of messages.entries()) apply(whole, message, index)
        // What came after the stored state is applied once more.
        for (const [index, message] of messages.slice(0, stored).entries()) apply(crashed, message, index)
        const state = crashed.profiles.get('b1')
        for (const [index, message] of messages.slice(stored, stored + crash).entries())
          apply(crashed, message, stored + index)
        if (state) crashed.profiles.set('b1', state)
        else crashed.profiles.delete('b1')
        for (const [index, message] of messages.slice(stored).entries()) apply(crashed, message, stored + index)
        const ids = (site: typeof whole) => [...new Set(site.signals.map(({ signalId }) => signalId))]
        expect(ids(crashed)).toEqual(ids(whole))
        expect(crashed.profiles.get('b1')?.members).toEqual(whole.profiles.get('b1')?.members)
      }),
    )
  })
})

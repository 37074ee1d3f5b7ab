import { type EventEnvelope, type LinkDecision, memoryOf, type Profile, type StoredMessage } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { aboutPerson } from '#core/identity/about-person.js'
import { applyEnvelope } from '#core/profile/apply.js'
import { MAX_PROFILE_TRAITS_BYTES } from '#core/profile/traits/traits.js'

const link = (at: number) => ({ firstAt: at, lastAt: at, cause: 'identify' })

function profileOf(visitorId: string, day: number, more: Partial<Profile> = {}): Profile {
  const time = `2026-01-0${day}T00:00:00.000Z`
  const counts = { firstSeen: time, lastSeen: time, sessions: 1, events: 10, traits: {} }
  return { visitorId, anonymousId: visitorId, userId: 'ann', links: { ann: link(1) }, ...counts, ...more } as Profile
}

it('adds counts up, and takes the traits of the visitor who was seen last', () => {
  const about = aboutPerson('ann', [
    profileOf('phone', 3, { traits: { plan: 'pro', city: 'Oslo' } }),
    profileOf('laptop', 2, { traits: { plan: 'free', name: 'Ann' } }),
    profileOf('user:ann', 1, { events: 0, sessions: 0 }),
  ])
  expect(about).toEqual({
    traits: { plan: 'pro', name: 'Ann', city: 'Oslo' },
    profile: { firstSeen: '2026-01-02T00:00:00.000Z', lastSeen: '2026-01-03T00:00:00.000Z', sessions: 2, events: 20 },
  })
})

it('takes no traits from a browser that has another user now', () => {
  const tablet = profileOf('tablet', 3, { traits: { plan: 'pro' }, links: { ann: link(1), ben: link(2) } })
  expect(aboutPerson('ann', [profileOf('laptop', 2), tablet])).toMatchObject({ traits: {}, profile: { events: 10 } })
  // All that is known of the person is what the tablet counted.
  const ofUser = profileOf('user:ann', 1, { events: 0, sessions: 0 })
  expect(aboutPerson('ann', [ofUser, tablet])).toMatchObject({ traits: {}, profile: { events: 10, sessions: 1 } })
})

describe('traits of a browser that several users share', () => {
  /** A profile after identifies under some users, '' for none. */
  function identified(...said: [userId: string, traits: StoredMessage['traits']][]): Profile {
    return said.reduce<Profile | undefined>((profile, [userId, traits], index) => {
      const timestamp = new Date(Date.UTC(2026, 0, 1, 0, 0, index)).toISOString()
      const message = { messageId: `m${index}`, type: 'identify', timestamp, anonymousId: 'tablet', userId, traits }
      const messages = [message as unknown as StoredMessage]
      return applyEnvelope(profile, { siteId: 's', visitorId: 'tablet', receivedAt: timestamp, messages }, index + 1)
    }, undefined)!
  }

  function undone(profile: Profile, userId: string): Profile {
    const decision: LinkDecision = { state: 'undone', at: Date.UTC(2026, 0, 2), cause: 'a test' }
    const identity = [{ anonymousId: 'tablet', userId, decision }]
    const receivedAt = '2026-01-02T00:00:00.000Z'
    const envelope: EventEnvelope = { siteId: 's', visitorId: 'tablet', receivedAt, identity, messages: [] }
    return applyEnvelope(profile, envelope, profile.seq + 1)!
  }

  const traitsOf = (profile: Profile, userId: string) => aboutPerson(userId, [profile]).traits

  it('are those of the user under whom they were sent, and of the first one what was sent under none', () => {
    const tablet = identified(
      ['', { theme: 'dark' }],
      ['ann', { plan: 'pro', city: 'Oslo' }],
      ['ben', { plan: 'free' }],
    )
    expect(tablet.traits).toEqual({ theme: 'dark', plan: 'free', city: 'Oslo' })
    expect(traitsOf(tablet, 'ann')).toEqual({ theme: 'dark', plan: 'pro', city: 'Oslo' })
    expect(traitsOf(tablet, 'ben')).toEqual({ plan: 'free' })
  })

  it('are given to no other user when a merge is undone', () => {
    const tablet = undone(identified(['ann', { plan: 'pro' }], ['ben', { city: 'Rome' }]), 'ann')
    expect(traitsOf(tablet, 'ben')).toEqual({ city: 'Rome' })
    expect(traitsOf(tablet, '')).toEqual({ plan: 'pro' })
    expect(traitsOf(undone(tablet, 'ben'), '')).toEqual({ plan: 'pro', city: 'Rome' })
  })

  it('that were stored before they were told apart are those of its user then', () => {
    const { traitsByUser: _apart, ...older } = identified(['ann', { plan: 'pro', city: 'Oslo' }])
    expect(traitsOf(older, 'ann')).toEqual({ plan: 'pro', city: 'Oslo' })
    const message = { messageId: 'm9', type: 'identify', timestamp: '2026-01-03T00:00:00.000Z', anonymousId: 'tablet' }
    const messages = [{ ...message, userId: 'ben', traits: { plan: 'free' } } as unknown as StoredMessage]
    const receivedAt = message.timestamp
    const later = applyEnvelope(older, { siteId: 's', visitorId: 'tablet', receivedAt, messages }, older.seq + 1)!
    expect(traitsOf(later, 'ann')).toEqual({ plan: 'pro', city: 'Oslo' })
    expect(traitsOf(later, 'ben')).toEqual({ plan: 'free' })
  })

  it('are told apart also where others said nothing, or removed what they had', () => {
    const tablet = identified(
      ...['a', 'b', 'c', 'd', 'e', 'f'].map((user): [string, StoredMessage['traits']] => [user, {}]),
      ['g', { plan: null }],
      ['ann', { plan: 'pro' }],
    )
    expect(tablet.traitsByUser!.ann).toEqual({ plan: 'pro' })
    expect(Object.keys(tablet.traitsByUser!).sort()).toEqual(['ann', 'g'])
  })

  it('take no more room than those of one', () => {
    const many = (n: number) =>
      Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`t${n}-${i}`, 'x'.repeat(900)]))
    const tablet = identified(['ann', many(0)], ['ben', many(1)])
    expect(Object.keys(traitsOf(tablet, 'ann'))).toHaveLength(30)
    expect(traitsOf(tablet, 'ben')).toEqual({})
  })

  it('are told apart of fewer users where there is no room for all, and the browser takes them all the same', () => {
    const users = Array.from({ length: 20 }, (_, n) => `user-${n}`)
    const traitsNow = (user: string, round: number) =>
      Object.fromEntries(
        Array.from({ length: 15 }, (_, i) => [`trait-${i}`, `${user} ${round} `.padEnd(60 + 20 * round, '.')]),
      )
    const told = (order: string[]) => {
      const said = [0, 1, 2].flatMap(round => order.map(user => ({ user, traits: traitsNow(user, round) })))
      const tablet = identified(...said.map(({ user, traits }): [string, typeof traits] => [user, traits]))
      expect(tablet.traits).toEqual(traitsNow(order.at(-1)!, 2))
      expect(memoryOf(tablet.traitsByUser)).toBeLessThanOrEqual(MAX_PROFILE_TRAITS_BYTES)
      return Object.fromEntries(
        Object.entries(tablet.traitsByUser!).filter(([, ofUser]) => Object.keys(ofUser).length > 0),
      )
    }
    const traits = told(users)
    expect(Object.keys(traits).length).toBeGreaterThan(5)
    for (const [user, ofUser] of Object.entries(traits)) expect(ofUser).toEqual(traitsNow(user, 2))
    // Who is told apart does not depend on the order in which they came.
    expect(told(users.toReversed())).toEqual(traits)
    expect(told([...users.slice(7), ...users.slice(0, 7)])).toEqual(traits)
  })
})

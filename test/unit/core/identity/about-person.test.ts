import type { Profile } from '@slotstream/protocol'
import { expect, it } from 'vitest'
import { aboutPerson } from '#core/identity/about-person.js'

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

import type { EventEnvelope } from '@slotstream/protocol'
import { expect, it } from 'vitest'
import { DEFAULT_DEFINITIONS } from '#aggregator/profiles/definitions/compiled-definitions.js'
import { describeProfile } from '#aggregator/profiles/reads/describe-profile.js'
import { createReadPerson } from '#aggregator/profiles/reads/read-persons.js'
import { applyAndDetect } from '#core/profile/apply.js'

const timestamp = '2026-01-01T12:00:00.000Z'
const ids = { siteId: 'shop', visitorId: 'anna', receivedAt: timestamp }

/** A profile that remembers all it can: a join, patterns, signals, what it was told, and a decision. */
function fullProfile() {
  const message = { anonymousId: 'anna', userId: 'ann', timestamp, type: 'track', event: 'Product Added' } as const
  const properties = { category: 'camp', product_id: 'tent' }
  const envelopes: Partial<EventEnvelope>[] = [
    { messages: [0, 1, 2, 3].map(n => ({ ...message, messageId: `m${n}`, properties })) },
    { hearsay: { userId: 'ann', messages: [{ ...message, messageId: 'told', anonymousId: 'phone', properties }] } },
    { messages: [{ ...message, messageId: 'who', type: 'identify' as const, traits: { plan: 'pro' } }] },
  ]
  return envelopes.reduce(
    (profile, envelope, seq) =>
      applyAndDetect(profile, { ...ids, messages: [], ...envelope }, seq + 1, text => text).profile,
    undefined as ReturnType<typeof applyAndDetect>['profile'],
  )!
}

it('an answer has what is documented, and nothing that a profile remembers for itself', async () => {
  const profile = {
    ...fullProfile(),
    ...{ earnings: [], taught: [], stopped: ['tent'], arrivals: [], decisions: [], later: 'what is added one day' },
  }
  expect(profile).toMatchObject({ heard: [expect.any(Number)], patterns: expect.anything(), links: expect.anything() })
  const person = await createReadPerson(async () => [{ profile: undefined, readAt: 0 }])(
    profile,
    DEFAULT_DEFINITIONS.features,
  )
  expect(Object.keys(describeProfile(profile, person, DEFAULT_DEFINITIONS, Date.parse(timestamp))).sort()).toEqual([
    ...['affinities', 'affinitiesAt', 'anonymousId', 'events', 'features', 'firstSeen', 'lastReceived', 'lastSeen'],
    ...['person', 'segments', 'seq', 'session', 'sessions', 'signals', 'siteId', 'suspicion', 'traits', 'userId'],
    'visitorId',
  ])
})

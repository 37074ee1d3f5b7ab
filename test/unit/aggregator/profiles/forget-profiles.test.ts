import type { Profile } from '@slotstream/protocol'
import { expect, it } from 'vitest'
import { createProfileCache } from '#aggregator/profiles/cache/profile-cache.js'
import { forgetProfiles } from '#aggregator/profiles/forget-profiles.js'
import { compiled } from '../../core/patterns/found.js'
import { createPeople } from '../../core/patterns/people.js'

const patterns = compiled([{ name: 'both', sequence: [{ event: 'A', key: 'properties.cart_id' }, { event: 'B' }] }])
const timestamp = '2026-01-01T00:00:00.000Z'

/** The profiles of a user and two browsers, one of which has sent something that patterns look at. */
function profilesOfUser(): Map<string, Profile> {
  const people = createPeople(patterns)
  const send = (messageId: string, anonymousId: string, event: string) =>
    people.send({
      ...{ messageId, type: 'track', event, anonymousId, userId: 'ann', timestamp },
      properties: { cart_id: 'secret cart' },
    })
  for (const browser of ['phone', 'laptop']) send(`first ${browser}`, browser, 'Seen')
  people.settle()
  send('put', 'phone', 'A')
  people.settle()
  return people.profiles
}

const REQUEST = {
  ...{ siteId: 'shop', visitorIds: ['phone'], before: Date.parse(timestamp) },
  links: [
    ['user:ann', 'phone'],
    ['laptop', ''],
  ] as [string, string][],
}

/** The profiles of a user as their partition has them, with a store that takes what it is given, or nothing. */
function forgetting(stored: Map<string, Profile>, isWorking: boolean) {
  const cache = createProfileCache({
    maxProfiles: 10,
    read: async (_siteId, visitorId) => ({ profile: stored.get(visitorId), revision: 1 }),
  })
  const partition = { cache, unpublished: { remove: () => {} }, timers: { forget: async () => {} } } as never
  const store = { eraseProfile: async () => 1 }
  const storing = {
    settled: async () => {},
    async flush() {
      if (isWorking) for (const { profile } of cache.unstored()) stored.set(profile.visitorId, profile)
      return isWorking
    },
  }
  return { cache, forget: () => forgetProfiles(partition, store, REQUEST, storing) }
}

it('leaves nothing of a deleted browser in the profiles that were told of it, and the rest of them as it was', async () => {
  const stored = profilesOfUser()
  expect(JSON.stringify([stored.get('user:ann'), stored.get('laptop')])).toContain('secret cart')
  const before = new Map(stored)
  const { cache, forget } = forgetting(stored, true)
  expect(await forget()).toBe(1)
  const { patterns: _states, heard: _heard, links, ...user } = before.get('user:ann')!
  expect(await cache.get('shop', 'user:ann')).toEqual({ ...user, links: { laptop: links!.laptop } })
  const { patterns: _laptops, heard: _laptop, ...laptop } = before.get('laptop')!
  expect(await cache.get('shop', 'laptop')).toEqual(laptop)
  // The process may end now: the next one reads what the store has.
  expect(JSON.stringify([stored.get('user:ann'), stored.get('laptop')])).not.toContain('secret cart')
})

it('says nothing is done as long as the store does not have it', async () => {
  expect(await forgetting(profilesOfUser(), false).forget()).toBe(undefined)
})

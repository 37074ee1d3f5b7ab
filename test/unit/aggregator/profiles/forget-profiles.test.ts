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

it('leaves nothing of a deleted browser in the profiles that were told of it, and the rest of them as it was', async () => {
  const stored = profilesOfUser()
  expect(JSON.stringify([stored.get('user:ann'), stored.get('laptop')])).toContain('secret cart')
  const cache = createProfileCache({
    maxProfiles: 10,
    read: async (_siteId, visitorId) => ({ profile: stored.get(visitorId), revision: 1 }),
  })
  const timers = { forget: async () => {} } as never
  const request = {
    ...{ siteId: 'shop', visitorIds: ['phone'], before: Date.parse(timestamp) },
    links: [
      ['user:ann', 'phone'],
      ['laptop', ''],
    ] as [string, string][],
  }
  const store = { eraseProfile: async () => 1 }
  const unpublished = { remove: () => {} } as never
  expect(await forgetProfiles({ cache, unpublished, timers }, store, request, async () => {})).toBe(1)
  const { patterns: _states, heard: _heard, links, ...user } = stored.get('user:ann')!
  expect(await cache.get('shop', 'user:ann')).toEqual({ ...user, links: { laptop: links!.laptop } })
  const { patterns: _laptops, heard: _laptop, ...laptop } = stored.get('laptop')!
  expect(await cache.get('shop', 'laptop')).toEqual(laptop)
})

import type { Profile } from '@slotstream/protocol'
import { describe, expect, it, vi } from 'vitest'
import { createProfileCache } from '#aggregator/profiles/cache/profile-cache.js'
import type { StoredProfile } from '#aggregator/profiles/store/profile-store.js'
import { applyMessage } from '#core/profile/apply-message.js'

function profileOf(visitorId: string, seq = 1): Profile {
  const message = { messageId: visitorId, type: 'track' as const, event: 'Seen', timestamp: '2026-01-01T00:00:00.000Z' }
  return { ...applyMessage(undefined, message, { siteId: 'shop', visitorId }), seq }
}

const nothing = async (): Promise<StoredProfile> => ({ profile: undefined, revision: 0 })

describe('a cache of profiles', () => {
  it('knows without reading that a visitor is new, once all are loaded and until one has left', async () => {
    const read = vi.fn(nothing)
    const cache = createProfileCache({ maxProfiles: 1, read })
    await cache.get('shop', 'a')
    expect(read).toHaveBeenCalledTimes(1)
    cache.markComplete()
    expect(cache.get('shop', 'a')).toBeUndefined()
    cache.load(profileOf('a'), 1)
    cache.load(profileOf('b'), 2)
    expect(read).toHaveBeenCalledTimes(1)
    await cache.get('shop', 'c')
    expect(read).toHaveBeenCalledWith('shop', 'c')
  })

  it('lets the profile used longest ago leave, but none that is not stored', () => {
    const cache = createProfileCache({ maxProfiles: 2, read: nothing })
    cache.markComplete()
    const a = profileOf('a')
    cache.put(a)
    cache.load(profileOf('b'), 1)
    cache.load(profileOf('c'), 2)
    expect(cache.size).toBe(3)
    cache.markStored(a, 3)
    expect(cache.size).toBe(2)
    expect(cache.get('shop', 'a')).toBeInstanceOf(Promise)
    expect(cache.get('shop', 'b')).toMatchObject({ visitorId: 'b' })
    cache.load(profileOf('d'), 4)
    expect(cache.get('shop', 'b')).toMatchObject({ visitorId: 'b' })
  })

  it('stays unstored when the profile changed while it was being stored, at the revision that the store has', () => {
    const cache = createProfileCache({ maxProfiles: 10, read: nothing })
    const first = profileOf('a', 1)
    const second = profileOf('a', 2)
    cache.put(first)
    cache.put(second)
    cache.markStored(first, 7)
    expect(cache.unstored()).toEqual([{ profile: second, revision: 7 }])
    cache.markStored(second, 8)
    expect(cache.unstored()).toEqual([])
  })

  it('reads a profile once for all who ask at the same time', async () => {
    const read = vi.fn(async (_siteId: string, visitorId: string) => ({ profile: profileOf(visitorId), revision: 3 }))
    const cache = createProfileCache({ maxProfiles: 10, read })
    const [one, other] = await Promise.all([cache.get('shop', 'a'), cache.get('shop', 'a')])
    expect(one).toBe(other)
    expect(cache.get('shop', 'a')).toBe(one)
    expect(read).toHaveBeenCalledTimes(1)
  })

  it('keeps what is in memory when an older state of it is loaded or read', async () => {
    let answer = (_: StoredProfile) => {}
    const cache = createProfileCache({
      maxProfiles: 10,
      read: () =>
        new Promise(resolve => {
          answer = resolve
        }),
    })
    const reading = cache.get('shop', 'a')
    const newer = profileOf('a', 2)
    cache.put(newer)
    cache.load(profileOf('a', 1), 1)
    answer({ profile: profileOf('a', 1), revision: 1 })
    expect(await reading).toBe(newer)
    expect(cache.unstored()).toMatchObject([{ profile: { seq: 2 } }])
  })

  it('takes of its own state and a stored one the one that is further on', async () => {
    let stored = { profile: profileOf('a', 4), revision: 9 }
    const cache = createProfileCache({ maxProfiles: 10, read: async () => stored })
    const own = profileOf('a', 5)
    cache.put(own)
    cache.markSent(profileOf('a', 4))
    expect(await cache.reconcile(own)).toBe(true)
    expect(cache.unstored()).toMatchObject([{ profile: own, revision: 9 }])
    stored = { profile: profileOf('a', 6), revision: 10 }
    expect(await cache.reconcile(own)).toBe(true)
    expect(cache.unstored()).toEqual([])
    expect(cache.get('shop', 'a')).toMatchObject({ seq: 6 })
  })

  it('knows what it made of a state that was out of date', async () => {
    const cache = createProfileCache({
      maxProfiles: 10,
      read: async () => ({ profile: profileOf('a', 4), revision: 9 }),
    })
    const own = profileOf('a', 5)
    cache.put(own)
    expect(await cache.reconcile(own)).toBe(false)
  })
})

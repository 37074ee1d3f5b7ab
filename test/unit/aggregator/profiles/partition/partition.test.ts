import type { Profile } from '@slotstream/protocol'
import { describe, expect, it, vi } from 'vitest'
import { createPartition, type StoredProfile } from '#aggregator/profiles/partition/partition.js'
import { applyMessage } from '#core/profile/apply.js'

function profileOf(visitorId: string, seq = 1): Profile {
  const message = { messageId: visitorId, type: 'track' as const, event: 'Seen', timestamp: '2026-01-01T00:00:00.000Z' }
  return { ...applyMessage(undefined, message, { siteId: 'shop', visitorId }), seq }
}

const nothing = async (): Promise<StoredProfile> => ({ profile: undefined, revision: 0 })

describe('a partition', () => {
  it('knows without reading that a visitor is new, once all are loaded and until one has left', async () => {
    const read = vi.fn(nothing)
    const partition = createPartition(1, read)
    await partition.get('shop', 'a')
    expect(read).toHaveBeenCalledTimes(1)
    partition.markComplete()
    expect(partition.get('shop', 'a')).toBeUndefined()
    partition.load(profileOf('a'), 1)
    partition.load(profileOf('b'), 2)
    expect(read).toHaveBeenCalledTimes(1)
    await partition.get('shop', 'c')
    expect(read).toHaveBeenCalledWith('shop', 'c')
  })

  it('lets the profile used longest ago leave, but none that is not stored', () => {
    const partition = createPartition(2, nothing)
    partition.markComplete()
    const a = profileOf('a')
    partition.put(a)
    partition.load(profileOf('b'), 1)
    partition.load(profileOf('c'), 2)
    expect(partition.size).toBe(3)
    partition.markStored(a, 3)
    expect(partition.size).toBe(2)
    expect(partition.get('shop', 'a')).toBeInstanceOf(Promise)
    expect(partition.get('shop', 'b')).toMatchObject({ visitorId: 'b' })
    partition.load(profileOf('d'), 4)
    expect(partition.get('shop', 'b')).toMatchObject({ visitorId: 'b' })
  })

  it('stays unstored when the profile changed while it was being stored, at the revision that the store has', () => {
    const partition = createPartition(10, nothing)
    const first = profileOf('a', 1)
    const second = profileOf('a', 2)
    partition.put(first)
    partition.put(second)
    partition.markStored(first, 7)
    expect(partition.unstored()).toEqual([{ profile: second, revision: 7 }])
    partition.markStored(second, 8)
    expect(partition.unstored()).toEqual([])
  })

  it('reads a profile once for all who ask at the same time', async () => {
    const read = vi.fn(async (_siteId: string, visitorId: string) => ({ profile: profileOf(visitorId), revision: 3 }))
    const partition = createPartition(10, read)
    const [one, other] = await Promise.all([partition.get('shop', 'a'), partition.get('shop', 'a')])
    expect(one).toBe(other)
    expect(partition.get('shop', 'a')).toBe(one)
    expect(read).toHaveBeenCalledTimes(1)
  })

  it('keeps what is in memory when an older state of it is loaded or read', async () => {
    let answer = (_: StoredProfile) => {}
    const partition = createPartition(
      10,
      () =>
        new Promise(resolve => {
          answer = resolve
        }),
    )
    const reading = partition.get('shop', 'a')
    const newer = profileOf('a', 2)
    partition.put(newer)
    partition.load(profileOf('a', 1), 1)
    answer({ profile: profileOf('a', 1), revision: 1 })
    expect(await reading).toBe(newer)
    expect(partition.unstored()).toMatchObject([{ profile: { seq: 2 } }])
  })

  it('takes of its own state and a stored one the one that is further on', async () => {
    let stored = { profile: profileOf('a', 4), revision: 9 }
    const partition = createPartition(10, async () => stored)
    const own = profileOf('a', 5)
    partition.put(own)
    partition.markSent(profileOf('a', 4))
    expect(await partition.reconcile(own)).toBe(true)
    expect(partition.unstored()).toMatchObject([{ profile: own, revision: 9 }])
    stored = { profile: profileOf('a', 6), revision: 10 }
    expect(await partition.reconcile(own)).toBe(true)
    expect(partition.unstored()).toEqual([])
    expect(partition.get('shop', 'a')).toMatchObject({ seq: 6 })
  })

  it('knows what it made of a state that was out of date', async () => {
    const partition = createPartition(10, async () => ({ profile: profileOf('a', 4), revision: 9 }))
    const own = profileOf('a', 5)
    partition.put(own)
    expect(await partition.reconcile(own)).toBe(false)
  })
})

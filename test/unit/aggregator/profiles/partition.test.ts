import type { Profile } from '@slotstream/protocol'
import { describe, expect, it, vi } from 'vitest'
import { applyMessage } from '../../../../aggregator/profiles/apply.js'
import { createPartition } from '../../../../aggregator/profiles/partition.js'

function profileOf(visitorId: string, seq = 1): Profile {
  const message = { messageId: visitorId, type: 'track' as const, event: 'Seen', timestamp: '2026-01-01T00:00:00.000Z' }
  return { ...applyMessage(undefined, message, { siteId: 'shop', visitorId }), seq }
}

describe('a partition', () => {
  it('knows without reading that a visitor is new, until a profile has left', async () => {
    const read = vi.fn(async () => undefined)
    const partition = createPartition(1, read)
    expect(partition.get('shop', 'a')).toBeUndefined()
    partition.load(profileOf('a'))
    partition.load(profileOf('b'))
    expect(read).not.toHaveBeenCalled()
    await partition.get('shop', 'c')
    expect(read).toHaveBeenCalledWith('shop', 'c')
  })

  it('lets the profile used longest ago leave, but none that is not stored', () => {
    const partition = createPartition(2, async () => undefined)
    const a = profileOf('a')
    partition.put(a)
    partition.load(profileOf('b'))
    partition.load(profileOf('c'))
    expect(partition.size).toBe(3)
    partition.markStored(a)
    expect(partition.size).toBe(2)
    expect(partition.get('shop', 'a')).toBeInstanceOf(Promise)
    expect(partition.get('shop', 'b')).toMatchObject({ visitorId: 'b' })
    partition.load(profileOf('d'))
    expect(partition.get('shop', 'b')).toMatchObject({ visitorId: 'b' })
  })

  it('stays unstored when the profile changed while it was being stored', () => {
    const partition = createPartition(10, async () => undefined)
    const first = profileOf('a', 1)
    const second = profileOf('a', 2)
    partition.put(first)
    partition.put(second)
    partition.markStored(first)
    expect(partition.unstored()).toEqual([second])
    partition.markStored(second)
    expect(partition.unstored()).toEqual([])
  })

  it('reads a profile once for all who ask at the same time', async () => {
    const read = vi.fn(async (_siteId: string, visitorId: string) => profileOf(visitorId))
    const partition = createPartition(10, read)
    partition.markIncomplete()
    const [one, other] = await Promise.all([partition.get('shop', 'a'), partition.get('shop', 'a')])
    expect(one).toBe(other)
    expect(partition.get('shop', 'a')).toBe(one)
    expect(read).toHaveBeenCalledTimes(1)
  })
})

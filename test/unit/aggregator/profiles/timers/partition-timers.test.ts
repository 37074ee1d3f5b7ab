import type { Profile } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { createPartitionTimers } from '#aggregator/profiles/timers/partition-timers.js'

const DAY = 86_400_000
const LAST_SEEN = '2026-01-10T12:00:00.000Z'
const NOW = Date.parse(LAST_SEEN)

/** A profile of which only what timers look at is set. */
function profileOf(visitorId: string, due?: number, sessions = 2): Profile {
  const patterns = { version: 'v', of: {}, ...(due !== undefined && { due }) }
  return { siteId: 'shop', visitorId, userId: '', sessions, lastSeen: LAST_SEEN, patterns } as unknown as Profile
}

/** The notes of the bucket, by key, with the number of writes. */
function memoryStore() {
  const notes = new Map<string, { due: number; revision: number }>()
  let last = 0
  return {
    notes,
    writes: () => last,
    write: async (key: string, due: number) => {
      notes.set(key, { due, revision: ++last })
      return last
    },
    remove: async (revision: number) => {
      for (const [key, note] of notes) if (note.revision === revision) notes.delete(key)
    },
  }
}

/** The timers of an owner. Profiles are in memory until it stops, and in `stored` from when they are flushed. */
function owner(bucket: ReturnType<typeof memoryStore>, stored: Map<string, Profile>) {
  const memory = new Map(stored)
  const told: [visitorId: string, due: number][] = []
  let isBroken = false
  const timers = createPartitionTimers({
    store: bucket,
    keyOf: ({ visitorId }) => `key-${visitorId}`,
    read: ({ visitorId }) => memory.get(visitorId),
    visitorOf: async key => stored.get(key.slice('key-'.length)),
    tell: async ({ visitorId }, due) => {
      if (isBroken) throw new Error('the stream refuses')
      told.push([visitorId, due])
    },
    anonymousDays: 30,
  })
  for (const [key, { due, revision }] of bucket.notes) timers.inherit({ key, due, revision })
  return {
    timers,
    told,
    breakStream: (value: boolean) => {
      isBroken = value
    },
    apply(profile: Profile) {
      memory.set(profile.visitorId, profile)
      timers.note(profile)
    },
    async flush() {
      for (const profile of memory.values()) {
        await timers.beforeWrite(profile)
        stored.set(profile.visitorId, profile)
        await timers.afterWrite(profile)
      }
    },
  }
}

describe('looks at segments', () => {
  /** Timers with looks: each is due at once after a message, and says when to look again. */
  function looking(next: (visitorId: string, now: number) => number | undefined) {
    const bucket = memoryStore()
    const looked: [visitorId: string, now: number][] = []
    const memory = new Map<string, Profile>()
    const timers = createPartitionTimers({
      store: bucket,
      keyOf: ({ visitorId }) => `key-${visitorId}`,
      read: ({ visitorId }) => memory.get(visitorId),
      visitorOf: async key => memory.get(key.slice('key-'.length)),
      tell: async () => {},
      checks: {
        dueOf: (_profile, now) => now,
        async check({ visitorId }, now) {
          looked.push([visitorId, now])
          return next(visitorId, now)
        },
      },
      anonymousDays: 30,
      now: () => NOW,
    })
    const apply = (profile: Profile) => {
      memory.set(profile.visitorId, profile)
      timers.note(profile)
    }
    return { bucket, looked, timers, apply, memory }
  }

  it('come after each message, and again when they said, with a note in the meantime', async () => {
    const { timers, apply, looked, bucket } = looking((_visitorId, now) => (now === NOW ? NOW + 50 : undefined))
    apply(profileOf('a'))
    await timers.fire(NOW, 100)
    expect(bucket.notes.get('key-a')).toMatchObject({ due: NOW + 50 })
    await timers.fire(NOW + 49, 100)
    await timers.fire(NOW + 50, 100)
    await timers.fire(NOW + 99, 100)
    expect(looked).toEqual([
      ['a', NOW],
      ['a', NOW + 50],
    ])
    expect([timers.size, bucket.notes.size]).toEqual([0, 0])
  })

  it('are noted before a profile is stored whose look is still to come, also while it is under way', async () => {
    const { timers, apply, bucket, memory } = looking(() => undefined)
    const profile = profileOf('a')
    apply(profile)
    await timers.beforeWrite(profile)
    await timers.afterWrite(profile)
    expect(bucket.notes.size).toBe(1)
    memory.get = () => {
      // The profile is stored while it is looked at.
      void timers.afterWrite(profile)
      return profile
    }
    const firing = timers.fire(NOW, 100)
    expect(bucket.notes.size).toBe(1)
    await firing
    expect(bucket.notes.size).toBe(0)
  })

  it('are taken over by the next owner', async () => {
    const { timers, apply, bucket, memory } = looking(() => NOW + 50)
    apply(profileOf('a'))
    await timers.fire(NOW, 100)
    const next = looking(() => undefined)
    for (const [key, profile] of memory) next.memory.set(key, profile)
    for (const [key, { due, revision }] of bucket.notes) next.timers.inherit({ key, due, revision })
    await next.timers.fire(NOW + 50, 100)
    expect(next.looked).toEqual([['a', NOW + 50]])
  })
})

describe('timers of a partition', () => {
  it('tell of a visitor once, when the time has come, and not before', async () => {
    const { timers, apply, told } = owner(memoryStore(), new Map())
    apply(profileOf('a', NOW + 10))
    apply(profileOf('b', NOW + 20))
    expect(await timers.fire(NOW + 9, 100)).toBe(0)
    expect(await timers.fire(NOW + 10, 100)).toBe(1)
    expect(await timers.fire(NOW + 30, 100)).toBe(1)
    expect(await timers.fire(NOW + 99, 100)).toBe(0)
    expect(told).toEqual([
      ['a', NOW + 10],
      ['b', NOW + 20],
    ])
  })

  it('follow a time that is put off, brought forward or dropped', async () => {
    const { timers, apply, told } = owner(memoryStore(), new Map())
    apply(profileOf('later', NOW + 10))
    apply(profileOf('later', NOW + 50))
    apply(profileOf('sooner', NOW + 50))
    apply(profileOf('sooner', NOW + 10))
    apply(profileOf('never', NOW + 10))
    apply(profileOf('never'))
    await timers.fire(NOW + 20, 100)
    expect(told).toEqual([['sooner', NOW + 10]])
    await timers.fire(NOW + 50, 100)
    expect(told.slice(1)).toEqual([['later', NOW + 50]])
    expect(timers.size).toBe(0)
  })

  it('wait until no more old messages of a visitor arrive', async () => {
    const { timers, apply, told } = owner(memoryStore(), new Map())
    const imported = (lastReceived: number): Profile => ({
      ...profileOf('imported', NOW - DAY),
      lastReceived: new Date(lastReceived).toISOString(),
    })
    apply(imported(NOW))
    expect(await timers.fire(NOW + 4_999, 100)).toBe(0)
    apply(imported(NOW + 4_000))
    expect(await timers.fire(NOW + 8_999, 100)).toBe(0)
    expect(await timers.fire(NOW + 9_000, 100)).toBe(1)
    expect(told).toEqual([['imported', NOW - DAY]])
  })

  it('keep whom the stream would not take, and tell no more at once than asked for', async () => {
    const { timers, apply, told, breakStream } = owner(memoryStore(), new Map())
    for (const visitorId of ['a', 'b', 'c']) apply(profileOf(visitorId, NOW))
    breakStream(true)
    await expect(timers.fire(NOW, 100)).rejects.toThrow('refuses')
    breakStream(false)
    expect(await timers.fire(NOW, 2)).toBe(2)
    expect(await timers.fire(NOW, 2)).toBe(1)
    expect(told.map(([visitorId]) => visitorId).sort()).toEqual(['a', 'b', 'c'])
  })

  it('are noted before their profile is stored, and again only where they are earlier', async () => {
    const bucket = memoryStore()
    const { apply, flush } = owner(bucket, new Map())
    apply(profileOf('a', NOW + 20))
    await flush()
    expect(bucket.notes.get('key-a')).toMatchObject({ due: NOW + 20 })
    apply(profileOf('a', NOW + 50))
    await flush()
    expect(bucket.writes()).toBe(1)
    apply(profileOf('a', NOW + 10))
    await flush()
    expect(bucket.notes.get('key-a')).toMatchObject({ due: NOW + 10 })
    apply(profileOf('a'))
    await flush()
    expect(bucket.notes.size).toBe(0)
  })

  it('of an owner that ended at once are told by the next one, with the latest time', async () => {
    const bucket = memoryStore()
    const stored = new Map<string, Profile>()
    const first = owner(bucket, stored)
    first.apply(profileOf('a', NOW + 10))
    first.apply(profileOf('b', NOW + 10))
    await first.flush()
    first.apply(profileOf('b', NOW + 40))
    await first.flush()
    const second = owner(bucket, stored)
    await second.timers.fire(NOW + 20, 100)
    expect(second.told).toEqual([['a', NOW + 10]])
    await second.timers.fire(NOW + 40, 100)
    expect(second.told).toEqual([
      ['a', NOW + 10],
      ['b', NOW + 40],
    ])
  })

  it('survive a former owner that removes the note it knows', async () => {
    const bucket = memoryStore()
    const stored = new Map<string, Profile>()
    const former = owner(bucket, stored)
    former.apply(profileOf('a', NOW + 10))
    await former.flush()
    const next = owner(bucket, stored)
    next.apply(profileOf('a', NOW + 30))
    await next.flush()
    former.apply(profileOf('a'))
    await former.timers.afterWrite(profileOf('a'))
    expect(bucket.notes.get('key-a')).toMatchObject({ due: NOW + 30 })
  })

  it('leave nothing of visitors who have ended, are deleted, or are not there any more', async () => {
    const bucket = memoryStore()
    const stored = new Map<string, Profile>()
    const { timers, apply, flush, told } = owner(bucket, stored)
    apply(profileOf('ended', NOW + 40 * DAY, 1))
    apply(profileOf('deleted', NOW + 40 * DAY))
    await flush()
    await timers.forget({ siteId: 'shop', visitorId: 'deleted' })
    await bucket.write('key-gone', NOW)
    const next = owner(bucket, stored)
    expect(await timers.fire(NOW + 41 * DAY, 100)).toBe(0)
    expect(await next.timers.fire(NOW + 41 * DAY, 100)).toBe(0)
    expect([...told, ...next.told]).toEqual([])
    expect(bucket.notes.size).toBe(0)
  })
})

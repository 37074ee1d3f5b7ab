import { type Profile, partitionOf, visitorIdOf } from '@slotstream/protocol'
import { connectNats, createLog, createPublisher, type Publisher } from '@slotstream/runtime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createProfileCache } from '#aggregator/profiles/cache/profile-cache.js'
import { profileStoreOf } from '#aggregator/profiles/store/open-profile-store.js'
import type { ProfileStoreOfGeneration } from '#aggregator/profiles/store/profile-store.js'
import { openRedis, type Redis } from '#aggregator/profiles/store/redis/open-redis.js'
import { StoreConflict } from '#aggregator/profiles/store/store-conflict.js'
import { startBroker } from '../support/collector.js'
import { hasRedis, startRedisServer } from '../support/redis-server.js'
import { until } from '../support/until.js'

const log = createLog('test')
log.level = 'silent'

const SITE = 'shop'
const FIRST_SEEN = '2026-11-01T12:00:00.000Z'
const NEVER = new AbortController().signal
const WITHOUT_LIMIT = { profiles: 1_000_000, bytes: 1_000_000_000 }

const REDIS = await hasRedis()

let broker: Awaited<ReturnType<typeof startBroker>>
let redisServer: Awaited<ReturnType<typeof startRedisServer>> | undefined
let redis: Redis | undefined
let publisher: Publisher

beforeAll(async () => {
  ;[broker, redisServer] = await Promise.all([startBroker(), REDIS ? startRedisServer() : undefined])
  publisher = createPublisher(broker.nats)
  redis = redisServer && (await openRedis(redisServer.url, broker.installation, log))
})
afterAll(async () => {
  redis?.destroy()
  publisher?.close()
  await Promise.all([broker?.stop(), redisServer?.stop()])
})

function profileOf(name: string, seq: number, more: Partial<Profile> = {}): Profile {
  const visitorId = visitorIdOf({ anonymousId: name })
  const visitor = { siteId: SITE, visitorId, anonymousId: name, userId: '' }
  const times = { firstSeen: FIRST_SEEN, lastSeen: FIRST_SEEN, affinitiesAt: FIRST_SEEN }
  const counts = { sessions: 1, session: null, events: seq, affinities: {}, traits: {}, segments: [], recent: [] }
  return { ...visitor, ...times, ...counts, seq, ...more }
}

const partitionOfName = (name: string) => partitionOf(SITE, visitorIdOf({ anonymousId: name }), 8)

/** Names of so many visitors of one partition. */
function visitorsOf(partition: number, count: number): string[] {
  const names: string[] = []
  for (let n = 0; names.length < count; n++)
    if (partitionOfName(`visitor-${n}`) === partition) names.push(`visitor-${n}`)
  return names
}

async function open(generation: number, inRedis: boolean): Promise<ProfileStoreOfGeneration> {
  const { nats } = broker
  const profiles = await nats.kvm.create(`profiles_${generation}`, { history: 1, allow_direct: false })
  const installation = { ...broker.installation, generation, buckets: { ...broker.installation.buckets, profiles } }
  return profileStoreOf({ nats, publisher, installation, log, redis: inRedis ? redis : undefined })
}

async function conflictOf(work: Promise<unknown>): Promise<boolean> {
  return work.then(
    () => false,
    error => error instanceof StoreConflict,
  )
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

/** Reads what the generation's bucket has of a visitor, as the warehouse does. */
async function published(store: ProfileStoreOfGeneration, generation: number, name: string) {
  const bucket = await broker.nats.kvm.open(`profiles_${generation}`)
  const entry = await bucket.get(store.keyOf(profileOf(name, 0)))
  return entry && { operation: entry.operation, seq: entry.operation === 'PUT' ? entry.json<Profile>().seq : undefined }
}

for (const [kind, generation] of [
  ['nats', 1],
  ['redis', 2],
] as const)
  describe.skipIf(kind === 'redis' && !REDIS)(`the store of profiles in ${kind}`, () => {
    let store: ProfileStoreOfGeneration

    beforeAll(async () => {
      store = await open(generation, kind === 'redis')
    })

    const read = async (name: string) => store.read(SITE, profileOf(name, 0).visitorId)

    it('has nothing at revision 0, and what was written at the revision that the write returned', async () => {
      expect(await read('ann')).toEqual({ profile: undefined, revision: 0 })
      const ann = profileOf('ann', 1, { traits: { name: 'Ann "ü" \u2028' } })
      const revision = await store.write(ann, 0)
      expect(await read('ann')).toEqual({ profile: ann, revision })
      expect(await store.visitorOf(store.keyOf(ann))).toMatchObject({ visitorId: ann.visitorId })
      expect(await published(store, generation, 'ann')).toEqual({ operation: 'PUT', seq: 1 })
    })

    it('takes no older state over a newer one, whichever process writes it', async () => {
      const first = await store.write(profileOf('bob', 1), 0)
      const second = await store.write(profileOf('bob', 2), first)
      expect(await conflictOf(store.write(profileOf('bob', 1), first))).toBe(true)
      expect(await conflictOf(store.write(profileOf('bob', 1), 0))).toBe(true)
      expect(await read('bob')).toEqual({ profile: profileOf('bob', 2), revision: second })
      expect(await published(store, generation, 'bob')).toMatchObject({ seq: 2 })
    })

    it('takes one of several writes at once, and shows the warehouse the same state last', async () => {
      for (let round = 0; round < 20; round++) {
        const { revision } = await read('cem')
        const other = await open(generation, kind === 'redis')
        const seqs = [10 * round + 1, 10 * round + 2]
        const writes = seqs.map((seq, at) => (at ? other : store).write(profileOf('cem', seq), revision))
        const done = await Promise.allSettled(writes)
        expect(done.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
        const kept = (await read('cem')).profile?.seq
        expect(kept).toBe(seqs[done.findIndex(({ status }) => status === 'fulfilled')])
        expect(await published(store, generation, 'cem')).toMatchObject({ seq: kept })
      }
    })

    it('shows the warehouse the newest state where writers do not compare', async () => {
      const stores = await Promise.all(Array.from({ length: 4 }, () => open(generation, kind === 'redis')))
      await Promise.all(stores.flatMap((each, at) => [1, 2, 3].map(n => each.write(profileOf('dan', 10 * at + n)))))
      expect(await published(store, generation, 'dan')).toMatchObject({ seq: (await read('dan')).profile?.seq })
    })

    it('compares checkpoints likewise', async () => {
      expect(await store.readCheckpoint(3)).toMatchObject({ seq: 0, revision: 0 })
      const first = await store.writeCheckpoint(3, 7, 0)
      expect(await conflictOf(store.writeCheckpoint(3, 5, 0))).toBe(true)
      const second = await store.writeCheckpoint(3, 9, first)
      expect(await store.readCheckpoint(3)).toMatchObject({ seq: 9, revision: second })
      await store.writeSwept(3, 4)
      expect([await store.readSwept(3), await store.readSwept(4)]).toEqual([Math.min(4, await store.readSwept(3)), 0])
    })

    it('loads the newest profiles of a partition, those written last at the end', async () => {
      const names = visitorsOf(5, 250)
      for (const [at, name] of names.entries()) await store.write(profileOf(name, at + 1))
      await store.write(profileOf(names[0]!, 1_000))
      const load = async (limit: { profiles: number; bytes: number }) => {
        const seqs: number[] = []
        const each = ({ seq, anonymousId }: Profile) => void (anonymousId.startsWith('visitor-') && seqs.push(seq))
        return { isAll: await store.loadNewest(5, limit, each, NEVER), seqs }
      }
      const whole = await load(WITHOUT_LIMIT)
      expect(whole.isAll).toBe(true)
      expect(whole.seqs).toEqual([...names.slice(1).map((_, at) => at + 2), 1_000])
      const some = await load({ profiles: 16, bytes: 1_000_000_000 })
      expect(some.isAll).toBe(false)
      expect(some.seqs).toEqual(whole.seqs.slice(-some.seqs.length))
      expect(some.seqs.length).toBeGreaterThan(0)
      const few = await load({ profiles: 1_000_000, bytes: 8 * 20 * JSON.stringify(profileOf('x', 1)).length })
      expect([few.isAll, few.seqs.length < 250]).toEqual([false, true])
    })

    it('gives evicted profiles back to a cache that has no room for all', async () => {
      const cache = createProfileCache({ maxProfiles: 10, read: (...visitor) => store.read(...visitor) })
      const names = visitorsOf(6, 50)
      for (const name of names) {
        cache.put(profileOf(name, 1))
        for (const { profile, revision } of cache.unstored())
          cache.markStored(profile, await store.write(profile, revision))
      }
      expect(cache.size).toBe(10)
      for (const name of names) {
        const { visitorId } = profileOf(name, 0)
        expect((await cache.get(SITE, visitorId))?.seq).toBe(1)
        cache.put(profileOf(name, 2))
        for (const { profile, revision } of cache.unstored())
          cache.markStored(profile, await store.write(profile, revision))
      }
      expect((await read(names[0]!)).profile?.seq).toBe(2)
    })

    it('removes profiles that have ended, unless they were written since, and tells the warehouse', async () => {
      const before = Date.now() + 60_000
      const old = async () => {
        const entries: { name: string; revision: number }[] = []
        for await (const { profile, revision } of store.olderThan(7, 1, before, NEVER))
          if (profile) entries.push({ name: profile.anonymousId, revision })
        return entries
      }
      const [one, two] = visitorsOf(7, 2) as [string, string]
      await store.write(profileOf(one, 1))
      await store.write(profileOf(two, 1))
      await store.write(profileOf(one, 2))
      const found = await old()
      expect(found.map(({ name }) => name)).toEqual([two, one])
      await store.write(profileOf(two, 2))
      expect(await conflictOf(store.remove(profileOf(two, 1), found[0]!.revision))).toBe(true)
      await store.remove(profileOf(one, 2), found[1]!.revision)
      expect((await read(one)).profile).toBeUndefined()
      expect(await published(store, generation, one)).toMatchObject({ operation: 'DEL' })
      expect(await old()).toMatchObject([{ name: two }])
      const later = await all(store.olderThan(7, 1, Date.now() - 60_000, NEVER))
      expect(later).toEqual([])
      // Who returns begins anew, at the revision that is read.
      const { revision } = await read(one)
      await store.write(profileOf(one, 5), revision)
      expect(await published(store, generation, one)).toEqual({ operation: 'PUT', seq: 5 })
    })

    it('yields the profiles of one site in a partition', async () => {
      const name = visitorsOf(2, 1)[0]!
      await store.write(profileOf(name, 1))
      const names: (string | undefined)[] = []
      for await (const { profile } of store.ofSite(2, SITE, NEVER)) names.push(profile?.anonymousId)
      expect(names).toContain(name)
      expect(await all(store.ofSite(2, 'other', NEVER))).toEqual([])
    })

    it('erases a person, in the bucket, too, but not a profile that began later', async () => {
      const eve = profileOf('eve', 1)
      await store.write(eve)
      expect(await store.eraseProfile(eve, Date.parse(FIRST_SEEN) - 1)).toBe(0)
      expect((await read('eve')).profile).toEqual(eve)
      expect(await store.eraseProfile(eve, Date.parse(FIRST_SEEN))).toBe(1)
      expect((await read('eve')).profile).toBeUndefined()
      expect(await published(store, generation, 'eve')).toBeNull()
      expect(await store.eraseProfile(eve, Date.now())).toBe(0)
    })

    it('treats what is no profile as none, at its revision', async () => {
      const fay = profileOf('fay', 1)
      const revision = await store.write(fay)
      await spoil(store.keyOf(fay))
      const spoilt = await read('fay')
      expect(spoilt.profile).toBeUndefined()
      expect(spoilt.revision).toBeGreaterThanOrEqual(revision)
      await store.write(fay, spoilt.revision)
      expect((await read('fay')).profile).toEqual(fay)
    })

    async function spoil(key: string): Promise<void> {
      if (kind === 'nats') await (await broker.nats.kvm.open(`profiles_${generation}`)).put(key, '{"siteId":')
      else
        await redis!.hSet(`slotstream:{profiles_${generation}.${key.split('.')[0]}}:profile:${key}`, 'value', '{"site')
    }
  })

it('profiles in NATS are read on the connection for that, and by nothing else', async () => {
  const { nats, installation, url } = broker
  const reader = await connectNats(url, 'reader', log)
  const store = profileStoreOf({ nats, reader, publisher, installation, log })
  const ida = profileOf('ida', 1)
  const load = () => store.loadNewest(partitionOfName('ida'), WITHOUT_LIMIT, () => {}, NEVER)
  const revision = await store.write(ida, 0)
  expect(await store.read(SITE, ida.visitorId)).toEqual({ profile: ida, revision })
  expect(await load()).toBe(true)
  await reader.close()
  await expect(store.read(SITE, ida.visitorId)).rejects.toThrow()
  await expect(load()).rejects.toThrow()
  await store.write(profileOf('ida', 2), revision)
})

describe.skipIf(!REDIS)('profiles in Redis', () => {
  it('are taken over from NATS KV, with the position that they have there', async () => {
    const inNats = await open(3, false)
    const names = visitorsOf(1, 120)
    for (const name of names) await inNats.write(profileOf(name, 5))
    await inNats.writeCheckpoint(1, 5)
    const store = await open(3, true)
    expect(await store.readCheckpoint(1)).toEqual({ seq: 5, revision: 0 })
    // A state that is there already is newer.
    await store.write(profileOf(names[0]!, 6), 0)
    await store.takeOver(1)
    const seqs = await Promise.all(
      names.map(async name => (await store.read(SITE, profileOf(name, 0).visitorId)).profile?.seq),
    )
    expect(seqs).toEqual([6, ...names.slice(1).map(() => 5)])
    await store.writeCheckpoint(1, 6, 0)
    // The copies are as good as the originals: the way back is open.
    expect(await inNats.readCheckpoint(1)).toMatchObject({ seq: 6 })
    expect((await inNats.read(SITE, profileOf(names[0]!, 0).visitorId)).profile?.seq).toBe(6)
  })

  it('are published by the next owner where the last one could not', async () => {
    const store = await open(4, true)
    const gil = profileOf('gil', 1)
    const revision = await store.write(gil, 0)
    const cut = profileStoreOf({
      nats: broker.nats,
      publisher: { publish: () => Promise.reject(new Error('there is no connection')) },
      installation: { ...broker.installation, generation: 4 },
      log,
      redis,
    })
    await expect(cut.write(profileOf('gil', 2), revision)).rejects.toThrow('there is no connection')
    expect(await published(store, 4, 'gil')).toMatchObject({ seq: 1 })
    await store.takeOver(partitionOfName('gil'))
    expect(await published(store, 4, 'gil')).toMatchObject({ seq: 2 })
    await store.eraseAll()
    expect(await store.read(SITE, gil.visitorId)).toEqual({ profile: undefined, revision: 0 })
    expect(await redis!.keys('slotstream:{profiles_4.*')).toEqual([])
  })

  it('survive a Redis that is killed; an empty one is filled again', async () => {
    const store = await open(5, true)
    await store.write(profileOf('hal', 1), 0)
    const partition = partitionOfName('hal')
    await store.writeCheckpoint(partition, 1, 0)
    await redisServer!.kill('SIGKILL')
    await expect(store.write(profileOf('hal', 2))).rejects.toThrow()
    await redisServer!.start()
    const hal = () => store.read(SITE, profileOf('hal', 0).visitorId)
    await until('Redis is there again', hal, ({ profile }) => profile?.seq === 1)
    await redis!.flushDb()
    expect((await hal()).revision).toBe(0)
    await store.takeOver(partition)
    expect((await hal()).profile?.seq).toBe(1)
    expect(await store.readCheckpoint(partition)).toMatchObject({ seq: 1 })
  })

  it('are rejected a Redis that evicts keys, that is another installation’s, or that is none', async () => {
    await expect(openRedis('http://localhost', broker.installation, log)).rejects.toThrow('REDIS_URL')
    const other = { privacy: { ...broker.installation.privacy, keyed: () => 'another' } }
    await redis!.set('slotstream:installation', broker.installation.privacy.keyed('slotstream:installation'))
    await expect(openRedis(redisServer!.url, other, log)).rejects.toThrow('another installation')
    await redis!.configSet('maxmemory-policy', 'allkeys-lru')
    await expect(openRedis(redisServer!.url, broker.installation, log)).rejects.toThrow('noeviction')
    await redis!.configSet('maxmemory-policy', 'noeviction')
  })
})

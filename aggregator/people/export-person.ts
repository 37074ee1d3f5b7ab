import { bucketOfStream, generationOf, type Profile, visitorsOf } from '@slotstream/protocol'
import type { Installation } from '@slotstream/runtime'
import { createProfileStore } from '../profiles/store/profile-store.js'
import { createRedisProfileStore } from '../profiles/store/redis/redis-profile-store.js'
import { findMessages } from './clean/clean-streams.js'
import { findRows } from './clean/rows.js'
import { type FindDeps, findPerson, profileStreams } from './find/find-person.js'
import { PLACES, placeOfStream } from './find/places.js'
import { withoutOthers } from './find/without-others.js'
import type { Sealed } from './job-store.js'

/** One thing that is kept about a person, and where. */
export interface ExportedThing {
  place: string
  value: unknown
}

const READ_ONLY = { publish: () => Promise.reject(new Error('an export writes nothing')) }

/** Reads everything that is kept about a person, place by place, a few things at a time. */
export async function* exportPerson(deps: FindDeps, siteId: string, sealed: Sealed): AsyncGenerator<ExportedThing> {
  const { nats, installation, clickhouse, log, redis, signal } = deps
  const person = await findPerson(deps, siteId, sealed)
  const { userIds, browsers, anonymousIds } = person
  yield { place: 'ids', value: { userIds, anonymousIds: [...anonymousIds, ...browsers] } }
  const whose = { person, before: Date.now() }
  for (const visitorId of visitorsOf(person))
    for (const stream of await profileStreams(nats)) {
      const profile = await readProfile(stream, visitorId)
      if (profile) yield { place: 'bucket profiles', value: profile }
      const inRedis = await readRedis(stream, visitorId)
      if (inRedis) yield { place: 'redis profiles', value: inRedis }
    }
  for (const [name, table] of Object.entries(PLACES.tables))
    for await (const { row } of findRows(clickhouse, table, `slotstream.${name}`, whose, table.shown ?? '*', signal))
      yield { place: `table ${name}`, value: withoutOthers(row, table, person) }
  for await (const { stream, entries } of findMessages(deps, whose))
    for (const value of entries) yield { place: placeOfStream(stream), value }

  async function readProfile(stream: string, visitorId: string): Promise<Profile | undefined> {
    const store = createProfileStore(nats, READ_ONLY, await generationIn(stream), log)
    return (await store.read(siteId, visitorId)).profile
  }

  async function readRedis(stream: string, visitorId: string): Promise<Profile | undefined> {
    if (!redis) return undefined
    const generation = await generationIn(stream)
    const store = createRedisProfileStore({ redis, nats, publisher: READ_ONLY, installation: generation, log })
    return (await store.read(siteId, visitorId)).profile
  }

  async function generationIn(stream: string): Promise<Installation> {
    const bucket = bucketOfStream(stream) ?? ''
    const profiles = await nats.kvm.open(bucket)
    const generation = generationOf(bucket) ?? 0
    return { ...installation, generation, buckets: { ...installation.buckets, profiles } }
  }
}

import { type Features, featuresAfter } from '@slotstream/core'
import {
  bucketStream,
  filledEverywhere,
  type Profile,
  profilesBucket,
  warehousePositionKey,
} from '@slotstream/protocol'
import {
  type Installation,
  type Log,
  type Nats,
  type Publisher,
  readGeneration,
  switchGeneration,
} from '@slotstream/runtime'
import { readFilled, writeFilled } from '../../../profiles/store/filled-records.js'
import { forEachAtOnce } from '../../../profiles/store/for-each-at-once.js'
import { profileStoreOf } from '../../../profiles/store/open-profile-store.js'
import type { ProfileStore } from '../../../profiles/store/profile-store.js'
import type { Redis } from '../../../profiles/store/redis/open-redis.js'
import { createTimerStore } from '../../../profiles/store/timer-store.js'

const WRITES_AT_ONCE = 64

/** Profiles of a stream of them that are written together. */
const WRITTEN_TOGETHER = 1_000

/**
 * Versions of profiles are ordered by position in ClickHouse: those of a generation come after all of the ones before,
 * whose streams count from 1 as well.
 */
const POSITIONS_OF_A_GENERATION = 2 ** 40

/** The installation that gets a new generation. */
export interface NewGenerationDeps {
  nats: Nats
  publisher: Publisher
  installation: Installation
  log: Log
  /** The Redis that has the profiles. Absent: they are in NATS KV */
  redis?: Redis | undefined
}

/** A generation of profiles that is being filled, in a bucket beside the one in effect. */
export interface NewGeneration {
  generation: number
  read: ProfileStore['read']
  /** Writes many profiles. Resolves to how many. */
  writeAll(profiles: AsyncIterable<Profile> | Iterable<Profile>): Promise<number>
  writeCheckpoint: ProfileStore['writeCheckpoint']
  /**
   * Notes that all profiles count the history of a site's features. Where the generation before has not told the
   * history of features of content yet, which profiles do not have, its own note stays, so that owners do.
   */
  noteFilled(siteId: string, features: Features): Promise<void>
  /**
   * Marks the profiles of a partition that only the old generation has as deleted, so that ClickHouse hears of it.
   *
   * @param keptProfiles those of the partition that were written
   * @param looksUp whether others may have been written before
   */
  removeOthers(partition: number, keptProfiles: Iterable<Profile>, looksUp: boolean): Promise<void>
  /**
   * Puts it into effect.
   *
   * @throws when another rebuild has put one into effect since this one was created
   */
  switchTo(): Promise<void>
}

/** Creates the generation after the one in effect, empty: what a rebuild that was stopped left behind is removed. */
export async function createGeneration({
  nats,
  publisher,
  installation,
  log,
  redis,
}: NewGenerationDeps): Promise<NewGeneration> {
  const { meta, positions } = installation.buckets
  const { generation: old, revision } = await readGeneration(meta)
  const generation = old + 1
  const bucket = profilesBucket(generation)
  await nats.manager.streams.delete(bucketStream(bucket)).catch(() => false)
  const { streamInfo } = await meta.status()
  const replicas = streamInfo.config.num_replicas
  const profiles = await nats.kvm.create(bucket, { history: 1, replicas, allow_direct: false })
  const buckets = { ...installation.buckets, profiles }
  const ofGeneration = { ...installation, generation, buckets }
  const store = profileStoreOf({ nats, publisher, installation: ofGeneration, log, redis })
  await store.eraseAll()
  const timers = createTimerStore(nats, publisher, log)
  const before = await nats.kvm.open(profilesBucket(old))

  /** Notes what is due for a profile before it is there, as the live roles do. */
  async function writeOne(profile: Profile): Promise<void> {
    // Segments are looked at once, which says when to look again.
    const due = profile.members ? 0 : profile.patterns?.due
    if (due !== undefined) await timers.write(store.keyOf(profile), due)
    await store.write(profile)
  }

  return {
    generation,
    read: store.read,
    writeCheckpoint: store.writeCheckpoint,
    async noteFilled(siteId, features) {
      const { partitions } = installation
      const filledRevision = filledEverywhere(await readFilled(meta, { generation: old, siteId }), partitions)
      const isFilled = featuresAfter(features, filledRevision).ofContent.rules.length === 0
      const revision = isFilled ? features.revision : filledRevision
      if (revision > 0) await writeFilled(meta, { generation, siteId, partitions }, filled => filled.fill(revision))
    },

    async writeAll(written) {
      let count = 0
      for await (const together of inGroups(written)) {
        await forEachAtOnce(WRITES_AT_ONCE, together, writeOne)
        count += together.length
      }
      return count
    },

    async removeOthers(partition, keptProfiles, looksUp) {
      const keys = new Set([...keptProfiles].map(store.keyOf))
      for await (const key of await before.keys(`${partition}.>`))
        if (!keys.has(key) && !(looksUp && (await profiles.get(key)))) {
          const entry = await before.get(key)
          if (entry?.operation === 'PUT') await store.markRemoved(entry.json<Profile>())
        }
    },

    async switchTo() {
      const offset = generation * POSITIONS_OF_A_GENERATION
      const start = { first: offset + 1, last: offset, offset }
      await positions.put(warehousePositionKey(bucketStream(bucket)), JSON.stringify(start))
      await switchGeneration(meta, generation, revision)
    },
  }
}

async function* inGroups(profiles: AsyncIterable<Profile> | Iterable<Profile>): AsyncGenerator<Profile[]> {
  let group: Profile[] = []
  for await (const profile of profiles) {
    if (group.push(profile) < WRITTEN_TOGETHER) continue
    yield group
    group = []
  }
  yield group
}

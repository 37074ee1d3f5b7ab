import { ANONYMOUS_PROFILE_DAYS } from '@slotstream/core'
import { type Profile, partitionOf } from '@slotstream/protocol'
import {
  createSlices,
  type Installation,
  type Log,
  type Metrics,
  type Nats,
  NO_TOMBSTONES,
  type Publisher,
  type Tombstones,
  watchGeneration,
} from '@slotstream/runtime'
import { type Identity, joinLeaseGroup, type LeaseGroup } from '../ownership/join-lease-group.js'
import type { SkewTracker } from '../status/skew-tracker.js'
import { answerForget } from './answer-forget.js'
import { createSitesDefinitions, type SitesDefinitions } from './definitions/compiled-definitions.js'
import { watchDefinitions } from './definitions/watch-definitions.js'
import { answerPreviews } from './preview/answer-previews.js'
import { previewSite } from './preview/preview-site.js'
import { createProfileGenerations, type ProfileGenerations } from './profile-generations.js'
import { defaultProfileMemory } from './profile-memory.js'
import { createProfileSet } from './profile-set.js'
import { answerReads } from './reads/answer-reads.js'
import { watchBotTreatment } from './reads/bot-treatment.js'
import { describeProfile } from './reads/describe-profile.js'
import { createReadPerson } from './reads/read-persons.js'
import { createReadStored } from './reads/read-stored.js'
import { createServing, type Serving, type ServingListener } from './serving.js'
import { type WantedSignals, watchWantedSignals } from './signals/wanted-signals.js'

/** The profiles role: visitors' profiles in memory, kept up to date with the stream EVENTS and stored behind it. */
export interface Profiles {
  /** Resolves to the visitor's profile; undefined also for visitors of partitions that this process does not hold. */
  profileOf(siteId: string, visitorId: string): Promise<Profile | undefined>
  /**
   * Resolves to true as soon as everything of `partition` up to stream sequence `seq` is applied, to false when it is
   * not within `deadlineMs` milliseconds.
   */
  waitFor(partition: number, seq: number, deadlineMs: number): Promise<boolean>
  /** Whether this process may answer for the partition at this moment. */
  serves(partition: number): boolean
  /** Whether this process holds the partition at this moment: what was asked before it was given up may be answered. */
  holds(partition: number): boolean
  /** Calls `listener` with the partitions that this process answers for now, and with every change. */
  onServing(listener: ServingListener): void
  /** Returns what is missing until all profiles are up to date, here and elsewhere; empty when nothing is. */
  missing(): string[]
  /** Returns, of each partition in memory, the stream sequence up to which everything is applied. */
  applied(): { partition: number; through: number }[]
  /** Stores what has changed, gives up all partitions, then ends. */
  stop(): Promise<void>
}

export interface ProfilesDeps {
  nats: Nats
  /** Connection on which profiles are read by request, so that answers do not queue behind messages. Default: `nats` */
  lane?: Nats
  publisher: Publisher
  installation: Installation
  metrics: Metrics
  log: Log
  identity: Identity
  /** Profiles kept in memory; others are read from NATS KV when needed. Default 200,000 */
  maxProfiles?: number
  /** Bytes that they may take, estimated upwards. Default: see `defaultProfileMemory` */
  maxBytes?: number
  /** Days after which the profile of a single anonymous visit is removed; 0 for never. Default 30 */
  anonymousDays?: number
  /** The clock by which they are removed and timers fire, and the time between two looks, in milliseconds. Default: see `SweepDeps` */
  now?: () => number
  everyMs?: number
  /** Counts messages by partition and visitor. Default: not counted */
  skewTracker?: Pick<SkewTracker, 'add'>
  /** Deleted persons: their earlier messages are not applied. Default: none */
  tombstones?: Tombstones
}

/**
 * Starts the profiles role: it holds its share of the partitions, in the generation that is in effect. When a rebuild
 * switches to another generation, that is caught up beside the current one, which answers until then.
 */
export async function startProfiles(deps: ProfilesDeps): Promise<Profiles> {
  const { nats, installation, log } = deps
  const { partitions, buckets, generation } = installation
  const wantedSignals = await watchWantedSignals(nats, buckets.sites, log)
  const bots = await watchBotTreatment(nats, buckets.sites, log)
  const definitions = createSitesDefinitions(log)
  const watchingDefinitions = await watchDefinitions(nats, buckets.definitions, definitions.set, log)
  const serving = createServing()
  let leaseGroup: LeaseGroup | undefined
  const holds = (partition: number) => leaseGroup?.holds(String(partition)) ?? false
  const generations = startGenerations(deps, { wantedSignals, definitions, serving, holds })
  leaseGroup = await joinGroup(deps, generations, serving)
  const forgetting = answerForget({ nats, holds, profileSets: generations.all, log })
  const watching = await watchGeneration(nats, buckets.meta, generation, generations.switchTo, log)
  const partition = (index: number) => generations.current.partition(index)
  const profileOf: Profiles['profileOf'] = async (siteId, visitorId) =>
    partition(partitionOf(siteId, visitorId, partitions))?.cache.get(siteId, visitorId)
  const serves = (index: number) => serving.has(index) && holds(index)
  const lane = deps.lane ?? nats
  const readPerson = createReadPerson(createReadStored({ nats: lane, partitions, profileOf, serves }))
  const describe = async (profile: Profile) => {
    const ofSite = definitions.of(profile.siteId)
    return describeProfile(
      profile,
      await readPerson(profile, ofSite.features),
      ofSite,
      Date.now(),
      bots.areIncluded(profile.siteId),
    )
  }
  const reads = answerReads({ nats: lane, partitions, profileOf, describe, serves, holds, log })
  serving.listen(reads.set)
  const slice = createSlices()
  const previews = answerPreviews({
    nats: lane,
    preview: (index, { siteId, where }, abort) =>
      previewSite(where, {
        profiles: generations.current.ofSite(index, siteId, abort),
        readPerson,
        definitions: definitions.of(siteId),
        includesBots: bots.areIncluded(siteId),
        slice,
        abort,
        now: Date.now(),
      }),
    serves,
    holds,
    log,
  })
  serving.listen(previews.set)

  return {
    profileOf,
    waitFor: async (index, seq, deadlineMs) => (await partition(index)?.progress.waitFor(seq, deadlineMs)) ?? false,
    serves,
    holds,
    onServing: serving.listen,
    missing: () => describeMissing(leaseGroup.unowned().length, generations.current.missing()),
    applied: () =>
      indexesTo(partitions)
        .flatMap(index => partition(index) ?? [])
        .map(({ index, progress }) => ({ partition: index, through: progress.through })),
    async stop() {
      const switched = generations.endSwitching()
      watching.stop()
      await forgetting.stop()
      await switched
      await leaseGroup.stop()
      await Promise.all([reads.stop(), previews.stop()])
      await generations.stop()
      wantedSignals.stop()
      bots.stop()
      watchingDefinitions.stop()
      log.info('profiles stored')
    },
  }
}

function startGenerations(
  deps: ProfilesDeps,
  {
    wantedSignals,
    definitions,
    serving,
    holds,
  }: {
    wantedSignals: WantedSignals
    definitions: SitesDefinitions
    serving: Serving
    holds: (partition: number) => boolean
  },
): ProfileGenerations {
  const { skewTracker, maxProfiles = 200_000, maxBytes = defaultProfileMemory() } = deps
  const { anonymousDays = ANONYMOUS_PROFILE_DAYS, tombstones = NO_TOMBSTONES } = deps
  const memory = { maxProfiles, maxBytes, anonymousDays, tombstones }
  return createProfileGenerations({
    ...deps,
    createSet: (installation, onServing) =>
      createProfileSet({
        ...deps,
        ...memory,
        installation,
        onServing,
        onEnvelope: (partition, { siteId, visitorId, messages }) =>
          skewTracker?.add(partition, siteId, visitorId, messages.length),
        wantedSignals,
        definitionsOf: definitions.of,
        holds,
      }),
    heldPartitions: () => indexesTo(deps.installation.partitions).filter(holds),
    onServing: partition => void serving.set(partition, true),
  })
}

/** Joins the processes that share the partitions, and begins to work on what this one gains. */
function joinGroup(deps: ProfilesDeps, generations: ProfileGenerations, serving: Serving): Promise<LeaseGroup> {
  const { nats, installation, metrics, log, identity } = deps
  return joinLeaseGroup({
    nats,
    installation,
    metrics,
    log,
    identity,
    group: 'profiles',
    resources: indexesTo(installation.partitions).map(String),
    onGain(gained) {
      for (const partition of gained) for (const profileSet of generations.all()) profileSet.start(Number(partition))
    },
    async onRelease(partition) {
      await serving.set(Number(partition), false)
      await Promise.all(generations.all().map(profileSet => profileSet.release(Number(partition))))
    },
    onLose(partition) {
      void serving.set(Number(partition), false)
      for (const profileSet of generations.all()) profileSet.drop(Number(partition))
    },
  })
}

function describeMissing(
  unowned: number,
  { partitions, messages }: { partitions: number; messages: number },
): string[] {
  return [
    ...(unowned > 0 ? [`profiles: ${unowned} partitions have no owner yet`] : []),
    ...(partitions > 0 ? [`profiles: ${partitions} partitions are still to be loaded`] : []),
    ...(messages > 0 ? [`profiles: up to ${messages} messages are still to be replayed`] : []),
  ]
}

/** Returns the whole numbers from 0 to below `count`. */
function indexesTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

import { ANONYMOUS_PROFILE_DAYS, type BuiltInFeature } from '@slotstream/core'
import { type Profile, partitionOf } from '@slotstream/protocol'
import {
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
import { watchBotTreatment, withBotTreatment } from './definitions/bot-treatment.js'
import { noteBuiltIn } from './definitions/built-in-edition.js'
import {
  type CompiledDefinitions,
  createSitesDefinitions,
  type SitesDefinitions,
} from './definitions/compiled-definitions.js'
import { type FeatureServing, serveFeatures } from './fill/serve-features.js'
import { type RewardEvents, watchRewardEvents, withStopEvents } from './learning/watch-reward-events.js'
import { createProfileGenerations, type ProfileGenerations } from './profile-generations.js'
import { defaultProfileMemory } from './profile-memory.js'
import { createProfileSet } from './profile-set.js'
import { createReadPerson, type Person, type ReadPerson } from './reads/read-persons.js'
import { createReadStored } from './reads/read-stored.js'
import { startAnswering } from './reads/start-answering.js'
import { createServing, describeMissing, type Serving, type ServingListener } from './serving.js'
import { type WantedSignals, watchWantedSignals } from './signals/wanted-signals.js'
import type { Redis } from './store/redis/open-redis.js'

/** The profiles role: visitors' profiles in memory, kept up to date with the stream EVENTS and stored behind it. */
export interface Profiles {
  /** Resolves to the visitor's profile; undefined also for visitors of partitions that this process does not hold. */
  profileOf(siteId: string, visitorId: string): Promise<Profile | undefined>
  /**
   * Resolves to the person whom a visitor belongs to. What other processes know of the person is at most a second old.
   */
  personOf(profile: Profile): Promise<Person>
  /** Returns what a site declares about its profiles. */
  definitionsOf(siteId: string): CompiledDefinitions
  /**
   * Resolves to true as soon as everything of `partition` up to stream sequence `seq` is applied, to false when it is
   * not within `deadlineMs` milliseconds.
   */
  waitFor(partition: number, seq: number, deadlineMs: number): Promise<boolean>
  /** Returns for how long profiles of a partition may have lacked messages, in milliseconds: see `Freshness`. */
  ageMs(partition: number): number
  /** Returns whether this process may answer for the partition at this moment. */
  serves(partition: number): boolean
  /** Returns whether this process holds the partition now: requests from before it was given up may be answered. */
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

/** Messages a second that are read to count the history of features, unless a setting says otherwise. */
const FILL_RATE = 50_000

export interface ProfilesDeps {
  nats: Nats
  /** Connection on which profiles are read by request, so that answers do not queue behind messages. Default: `nats` */
  lane?: Nats
  /** See `ProfileStoreDeps`. */
  reader?: Nats | undefined
  publisher: Publisher
  installation: Installation
  metrics: Metrics
  log: Log
  identity: Identity
  /** The Redis that has the profiles. Absent: they are in NATS KV */
  redis?: Redis | undefined
  /** Profiles kept in memory; others are read from NATS KV when needed. Default 200,000 */
  maxProfiles?: number
  /** Bytes that they may take, estimated upwards. Default: see `defaultProfileMemory` */
  maxBytes?: number
  /** Days after which the profile of a single anonymous visit is removed; 0 for never. Default 30 */
  anonymousDays?: number
  /** Messages a second that are read to count the history of features; 0: no limit. Default 50,000 */
  fillRate?: number
  /** The clock of removals and timers, and the time between two sweeps, in milliseconds. Default: see `SweepDeps` */
  now?: () => number
  everyMs?: number
  /** Features that every site has. Default: those of this release */
  builtIn?: readonly BuiltInFeature[]
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
  const rewardEvents = await watchRewardEvents(nats, buckets.catalog, log)
  const bots = await watchBotTreatment(nats, buckets.sites, log)
  const edition = await noteBuiltIn(buckets.definitions, deps.builtIn)
  const definitions = withStopEvents(withBotTreatment(createSitesDefinitions(log, edition), bots), rewardEvents)
  const featureServing = await serveFeatures(deps, definitions, edition)
  const serving = createServing()
  let leaseGroup: LeaseGroup | undefined
  const holds = (partition: number) => leaseGroup?.holds(String(partition)) ?? false
  const serves = (index: number) => serving.has(index) && holds(index)
  const partition = (index: number) => generations.current.partition(index)
  const ageMs = (index: number) => partition(index)?.freshness.ageMs() ?? 0
  const profileOf: Profiles['profileOf'] = async (siteId, visitorId) =>
    partition(partitionOf(siteId, visitorId, partitions))?.cache.get(siteId, visitorId)
  const reading = { nats: deps.lane ?? nats, partitions, profileOf, serves, staleBefore: featureServing.changedAt }
  // What a browser's partition has told of must be seen.
  const readFresh = createReadPerson(createReadStored({ ...reading, staleBefore: () => Number.POSITIVE_INFINITY }))
  const readPerson = createReadPerson(createReadStored(reading))
  const generations = startGenerations(deps, {
    wantedSignals,
    rewardEvents,
    definitions,
    featureServing,
    serving,
    holds,
    readPerson: readFresh,
  })
  leaseGroup = await joinGroup(deps, generations, serving)
  const forgetting = answerForget({ nats, holds, profileSets: generations.all, log })
  const watching = await watchGeneration(nats, buckets.meta, generation, generations.switchTo, log)
  const answering = startAnswering({ reading, ageMs, holds, serving, definitions, generations, log })

  return {
    profileOf,
    personOf: profile => readPerson(profile, definitions.of(profile.siteId).features),
    definitionsOf: definitions.of,
    waitFor: async (index, seq, deadlineMs) => (await partition(index)?.progress.waitFor(seq, deadlineMs)) ?? false,
    ageMs,
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
      await answering.stop()
      await generations.stop()
      wantedSignals.stop()
      rewardEvents.stop()
      bots.stop()
      featureServing.stop()
      log.info('profiles stored')
    },
  }
}

function startGenerations(
  deps: ProfilesDeps,
  {
    wantedSignals,
    rewardEvents,
    definitions,
    featureServing,
    serving,
    holds,
    readPerson,
  }: {
    wantedSignals: WantedSignals
    rewardEvents: RewardEvents
    definitions: SitesDefinitions
    featureServing: FeatureServing
    serving: Serving
    holds: (partition: number) => boolean
    readPerson: ReadPerson
  },
): ProfileGenerations {
  const { skewTracker, maxProfiles = 200_000, maxBytes = defaultProfileMemory() } = deps
  const { anonymousDays = ANONYMOUS_PROFILE_DAYS, tombstones = NO_TOMBSTONES, fillRate = FILL_RATE } = deps
  const memory = { maxProfiles, maxBytes, anonymousDays, tombstones }
  const generations = createProfileGenerations({
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
        rewardEvents,
        definitions,
        fillRecords: featureServing.records,
        fillRate,
        readPerson,
        holds,
      }),
    heldPartitions: () => indexesTo(deps.installation.partitions).filter(holds),
    onServing: partition => void serving.set(partition, true),
    onSwitched: featureServing.refresh,
  })
  featureServing.attach(generations)
  return generations
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

/** Returns the whole numbers from 0 to below `count`. */
const indexesTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

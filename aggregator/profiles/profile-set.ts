import type { EventEnvelope, ForgetRequest, Profile } from '@slotstream/protocol'
import {
  createDeadLetters,
  createSlices,
  createTurns,
  type Installation,
  type Log,
  type Metrics,
  type Nats,
  type Publisher,
  type Tombstones,
} from '@slotstream/runtime'
import { countSteps } from './apply/count-steps.js'
import { leavesOut } from './definitions/bot-treatment.js'
import type { SitesDefinitions } from './definitions/compiled-definitions.js'
import type { FillRecords } from './fill/fill-records.js'
import { type FillerDeps, startFiller } from './fill/filler.js'
import { forgetProfiles } from './forget-profiles.js'
import { createPublishForward } from './learning/publish-forward.js'
import { createPublishLearning } from './learning/publish-learning.js'
import type { RewardEvents } from './learning/watch-reward-events.js'
import { createMemberChecks } from './members/check-members.js'
import { createPublishNews, createTellSegments } from './members/publish-news.js'
import { createPublishTelling } from './members/publish-telling.js'
import { createRooms } from './partition/back-pressure.js'
import { createFlush, type DirtyPartition } from './partition/flush.js'
import type { LoadedPartition } from './partition/load-partition.js'
import { type PartitionWorker, startPartitionWorker } from './partition/partition-worker.js'
import { total } from './partition/waiting-bounds.js'
import { siteProfiles } from './preview/site-profiles.js'
import { createPublishIdentity } from './publish-identity.js'
import { createPublishRejected } from './publish-rejected.js'
import type { ReadPerson } from './reads/read-persons.js'
import { createPublishSignals } from './signals/publish-signals.js'
import type { WantedSignals } from './signals/wanted-signals.js'
import { profileStoreOf } from './store/open-profile-store.js'
import type { Redis } from './store/redis/open-redis.js'
import { createTimerStore } from './store/timer-store.js'
import { startStoring } from './storing.js'
import { startSweeping } from './sweep-ended.js'
import { createTellTimer, startFiring } from './timers/fire-timers.js'

/** Share of the memory of profiles that visitors take whose history is counted beside them. */
const FILL_SHARE = 0.125

/** The profiles of one generation in the partitions of this process, with a worker for each partition. */
export interface ProfileSet {
  /** Starts the worker of a partition, unless there is one. `onServing` is called when its profiles are up to date. */
  start(index: number): void
  /** Returns a partition in memory; undefined where it has no worker, or is still loading. */
  partition(index: number): LoadedPartition | undefined
  /** Stores what has changed in a partition, then ends its worker. */
  release(index: number): Promise<void>
  /** Ends the worker of a partition that belongs to another process. */
  drop(index: number): void
  /**
   * Deletes profiles of a partition, in memory and in the store, with their signals that are not published yet, and
   * stores what other profiles forgot. Resolves to how many the store had; undefined where the partition is not in
   * memory, or not all could be stored.
   */
  forget(index: number, request: ForgetRequest): Promise<number | undefined>
  /** Yields the profiles of a site in a partition; none where the partition is not in memory. */
  ofSite(index: number, siteId: string, abort: AbortSignal): AsyncIterable<Profile>
  /** Takes up a site's features that were changed, from those of a revision on: their history is counted. */
  featuresChanged(siteId: string, formerRevision: number): void
  /** Returns how many messages still have to be applied before the profiles are up to date, and partitions loaded. */
  missing(): { messages: number; partitions: number }
  /** Releases all partitions, and ends. */
  stop(): Promise<void>
}

export interface ProfileSetDeps {
  nats: Nats
  /** See `ProfileStoreDeps`. */
  reader?: Nats | undefined
  publisher: Publisher
  installation: Installation
  metrics: Metrics
  log: Log
  /** The Redis that has the profiles. Absent: they are in NATS KV */
  redis?: Redis | undefined
  /** Profiles in memory at most, and bytes that they may take. */
  maxProfiles: number
  maxBytes: number
  /** See `applyAndDetect`. */
  anonymousDays: number
  /** Declarations of sites. */
  definitions: Pick<SitesDefinitions, 'of' | 'siteIds'>
  /** Records of how far the history of their features is counted. */
  fillRecords: FillRecords
  /** Messages a second that are read for it at most; 0: no limit. */
  fillRate: number
  /** Reads a person as the owners of the browsers have them now. */
  readPerson: ReadPerson
  /** The clock of timers and of what has ended, see `SweepDeps`. */
  now?: () => number
  everyMs?: number
  /** Called with each message read of a partition. */
  onEnvelope: (partition: number, envelope: EventEnvelope) => void
  /** Called when the profiles of a partition are up to date. */
  onServing: (index: number) => void
  wantedSignals: Pick<WantedSignals, 'select'>
  rewardEvents: Pick<RewardEvents, 'select'>
  tombstones: Tombstones
  /** Returns whether this process holds the partition, as far as it knows. */
  holds: (index: number) => boolean
}

/** Creates a set without partitions, and begins to store what changes in it. */
export function createProfileSet(deps: ProfileSetDeps): ProfileSet {
  const { metrics, log, maxBytes, holds, definitions } = deps
  const workers = new Map<number, PartitionWorker>()
  let isStopped = false
  const loaded = () => [...workers.values()].flatMap(({ partition }) => partition ?? [])
  const owned = () => loaded().filter(({ index }) => holds(index))

  const store = profileStoreOf(deps)
  const flush = createFlush({ store, publish: publishing(deps), log, onOutdated: restart })
  const storing = startStoring({ flush, loaded, owned, metrics })
  const rooms = createRooms({ partitions: loaded, maxBytes, store: storing.flushAll, isStopped: () => isStopped })
  const upToDate = () =>
    [...workers.values()].flatMap(({ phase, partition }) => (phase === 'serving' && partition ? partition : []))
  const firing = startFiring({ ...deps, partitions: () => upToDate().filter(({ index }) => holds(index)) })
  const sweeping = startSweeping({ ...deps, store, partitions: owned })
  const flushOne = (partition: LoadedPartition) => storing.flush([partition])
  const filler = startFiller(fillerDeps(deps, { workers, room: rooms.messageRoom, flush: flushOne }))
  const workerDeps = {
    ...depsOfWorkers(deps),
    ...rooms,
    store,
    onReplaced: (index: number, { siteId }: Profile) => filler.again(index, siteId),
    flush: flushOne,
  }

  function start(index: number): void {
    if (isStopped || workers.has(index)) return
    workers.set(index, startPartitionWorker(index, workerDeps))
    filler.start(index)
  }

  function restart(outdated: DirtyPartition): void {
    const { index } = outdated
    if (isStopped || workers.get(index)?.partition !== outdated) return
    log.warn({ partition: index }, 'the profiles read were out of date, reading them again')
    remove(index)?.drop()
    start(index)
    // Who stored the others may not have known what sites declare now.
    for (const siteId of definitions.siteIds()) filler.again(index, siteId)
  }

  function remove(index: number): PartitionWorker | undefined {
    const worker = workers.get(index)
    workers.delete(index)
    filler.end(index)
    return worker
  }

  const partition = (index: number) => workers.get(index)?.partition

  return {
    start,
    partition,
    release: async index => remove(index)?.release(),
    drop: index => remove(index)?.drop(),
    async forget(index, request) {
      const loadedPartition = partition(index)
      filler.forget(index, request)
      return loadedPartition && forgetProfiles(loadedPartition, store, request, storing)
    },
    async *ofSite(index, siteId, abort) {
      const loadedPartition = partition(index)
      if (loadedPartition) yield* siteProfiles(loadedPartition, store, siteId, abort)
    },
    featuresChanged: filler.featuresChanged,
    missing: () => ({ messages: total(loaded(), ({ behind }) => behind), partitions: workers.size - loaded().length }),
    async stop() {
      const fired = firing.stop()
      const filled = filler.stop()
      await sweeping.stop()
      await Promise.all([...workers.keys()].map(index => remove(index)?.release()))
      isStopped = true
      // What waits for a profile ends with its partition.
      await Promise.all([fired, filled])
      await storing.stop()
    },
  }
}

/** Creates what publishes the results of messages. */
function publishing({ publisher, installation, metrics }: ProfileSetDeps) {
  return {
    signals: createPublishSignals(publisher, metrics),
    rejected: createPublishRejected(publisher, metrics),
    identity: createPublishIdentity(publisher, installation.partitions, metrics),
    news: createPublishNews(publisher, installation.partitions),
    telling: createPublishTelling(publisher, installation.partitions, metrics),
    learning: createPublishLearning(publisher, metrics),
    forward: createPublishForward(publisher, installation.partitions, metrics),
  }
}

/** Returns what the workers of a set share, and does not depend on the set. */
function depsOfWorkers(deps: ProfileSetDeps) {
  const { nats, publisher, installation, metrics, log, definitions } = deps
  const { partitions } = installation
  const definitionsOf = definitions.of
  return {
    ...deps,
    partitions,
    streams: installation.streams.events,
    definitionsOf,
    timerStore: createTimerStore(nats, publisher, log),
    tellTimer: createTellTimer(publisher, partitions),
    checks: createMemberChecks({ ...deps, definitionsOf, tell: createTellSegments(publisher, partitions) }),
    slice: createSlices(),
    // A server may look at all keys before it gives those of a partition: of all at once it would take minutes.
    loadInTurn: createTurns(1),
    deadLetter: createDeadLetters({ nats, publisher, role: 'profiles', metrics, log }),
    onStep: countSteps(metrics),
  }
}

/** Returns what the filler of a set works with: the partitions of its workers that are up to date and held. */
function fillerDeps(
  deps: ProfileSetDeps,
  { workers, room, flush }: Pick<FillerDeps, 'room' | 'flush'> & { workers: ReadonlyMap<number, PartitionWorker> },
): FillerDeps {
  const { installation, fillRecords, fillRate, maxBytes, definitions, holds } = deps
  return {
    ...deps,
    generation: installation.generation,
    records: fillRecords,
    rate: fillRate,
    maxBytes: Math.ceil(FILL_SHARE * maxBytes),
    featuresOf: siteId => definitions.of(siteId).features,
    siteIds: definitions.siteIds,
    isLeftOut: leavesOut(definitions),
    partition(index) {
      const worker = workers.get(index)
      if (worker?.phase !== 'serving' || !worker.partition || !holds(index)) return undefined
      return { partition: worker.partition, change: worker.change }
    },
    hasPartition: index => workers.has(index),
    partitions: () => [...workers.keys()],
    room,
    flush,
  }
}

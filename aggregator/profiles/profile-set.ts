import type { EventEnvelope, ForgetRequest, Profile } from '@slotstream/protocol'
import {
  createDeadLetters,
  createSlices,
  type Installation,
  type Log,
  type Metrics,
  type Nats,
  type Publisher,
  type Tombstones,
} from '@slotstream/runtime'
import type { StepResult } from './apply/apply-step.js'
import type { CompiledDefinitions } from './definitions/compiled-definitions.js'
import { forgetProfiles } from './forget-profiles.js'
import { createMemberChecks } from './members/check-members.js'
import { createPublishNews, createTellSegments } from './members/publish-news.js'
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
import { createProfileStore } from './store/profile-store.js'
import { createTimerStore } from './store/timer-store.js'
import { startStoring } from './storing.js'
import { startSweeping } from './sweep-ended.js'
import { createTellTimer, startFiring } from './timers/fire-timers.js'

/** The profiles of one generation in the partitions of this process, with a worker for each partition. */
export interface ProfileSet {
  /** Starts the worker of a partition, unless there is one. `onServing` is called when its profiles are up to date. */
  start(index: number): void
  /** A partition in memory; undefined where it has no worker, or is still loading. */
  partition(index: number): LoadedPartition | undefined
  /** Stores what has changed in a partition, then ends its worker. */
  release(index: number): Promise<void>
  /** Ends the worker of a partition that belongs to another process. */
  drop(index: number): void
  /**
   * Deletes profiles of a partition, in memory and in the store, with their signals that are not published yet.
   * Resolves to how many the store had; undefined where the partition is not in memory.
   */
  forget(index: number, request: ForgetRequest): Promise<number | undefined>
  /** Yields the profiles of a site in a partition; none where the partition is not in memory. */
  ofSite(index: number, siteId: string, abort: AbortSignal): AsyncIterable<Profile>
  /** Returns how many messages still have to be applied before the profiles are up to date, and partitions loaded. */
  missing(): { messages: number; partitions: number }
  /** Releases all partitions, and ends. */
  stop(): Promise<void>
}

export interface ProfileSetDeps {
  nats: Nats
  publisher: Publisher
  installation: Installation
  metrics: Metrics
  log: Log
  /** Profiles in memory at most, and bytes that they may take. */
  maxProfiles: number
  maxBytes: number
  /** See `applyAndDetect`. */
  anonymousDays: number
  /** Returns what a site declares. */
  definitionsOf: (siteId: string) => CompiledDefinitions
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
  tombstones: Tombstones
  /** Whether this process holds the partition, as far as it knows. */
  holds: (index: number) => boolean
}

/** Creates a set without partitions, and begins to store what changes in it. */
export function createProfileSet(deps: ProfileSetDeps): ProfileSet {
  const { nats, publisher, installation, metrics, log, maxBytes, holds } = deps
  const workers = new Map<number, PartitionWorker>()
  let isStopped = false
  const loaded = () => [...workers.values()].flatMap(({ partition }) => partition ?? [])
  const held = () => loaded().filter(({ index }) => holds(index))

  const counted = metrics.counter('profiles_messages_total', 'Messages of the stream, by what became of them', [
    'result',
  ])
  const store = createProfileStore(nats, publisher, installation, log)
  const publish = {
    signals: createPublishSignals(publisher, metrics),
    rejected: createPublishRejected(publisher, metrics),
    identity: createPublishIdentity(publisher, installation.partitions, metrics),
    news: createPublishNews(publisher, installation.partitions),
  }
  const flush = createFlush({ store, publish, log, onOutdated: restart })
  const storing = startStoring({ flush, loaded, held, metrics })
  const rooms = createRooms({ partitions: loaded, maxBytes, store: storing.flushAll, isStopped: () => isStopped })
  const upToDate = () =>
    [...workers.values()].flatMap(({ phase, partition }) => (phase === 'serving' && partition ? partition : []))
  const firing = startFiring({ ...deps, partitions: () => upToDate().filter(({ index }) => holds(index)) })
  const sweeping = startSweeping({ ...deps, store, partitions: held })
  const workerDeps = {
    ...deps,
    ...rooms,
    store,
    timerStore: createTimerStore(nats, publisher, log),
    tellTimer: createTellTimer(publisher, installation.partitions),
    checks: createMemberChecks({ ...deps, tell: createTellSegments(publisher, installation.partitions) }),
    streams: installation.streams.events,
    partitions: installation.partitions,
    slice: createSlices(),
    deadLetter: createDeadLetters({ nats, publisher, role: 'profiles', metrics, log }),
    onStep: ({ outcome, messages }: StepResult) => counted.inc({ result: outcome }, messages),
    flush: (partition: LoadedPartition) => storing.flush([partition]),
  }

  function start(index: number): void {
    if (!isStopped && !workers.has(index)) workers.set(index, startPartitionWorker(index, workerDeps))
  }

  function restart(outdated: DirtyPartition): void {
    const { index } = outdated
    if (isStopped || workers.get(index)?.partition !== outdated) return
    log.warn({ partition: index }, 'the profiles read were out of date, reading them again')
    remove(index)?.drop()
    start(index)
  }

  function remove(index: number): PartitionWorker | undefined {
    const worker = workers.get(index)
    workers.delete(index)
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
      return loadedPartition && forgetProfiles(loadedPartition, store, request, storing.settled)
    },
    async *ofSite(index, siteId, abort) {
      const loadedPartition = partition(index)
      if (loadedPartition) yield* siteProfiles(loadedPartition, store, siteId, abort)
    },
    missing: () => ({ messages: total(loaded(), ({ behind }) => behind), partitions: workers.size - loaded().length }),
    async stop() {
      const fired = firing.stop()
      await sweeping.stop()
      await Promise.all([...workers.keys()].map(index => remove(index)?.release()))
      isStopped = true
      // A look that waits for a profile ends with its partition.
      await fired
      await storing.stop()
    },
  }
}

import { setTimeout as pause } from 'node:timers/promises'
import { ANONYMOUS_PROFILE_DAYS } from '@slotstream/core'
import { type Profile, partitionOf, profilesBucket } from '@slotstream/protocol'
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
import { type Identity, type Sharing, startOwnership } from '../ownership/start-ownership.js'
import type { Spread } from '../status/spread.js'
import { answerForget } from './answer-forget.js'
import { createGeneration, type Generation } from './generation.js'
import { defaultProfileMemory } from './profile-memory.js'
import { watchWantedSignals } from './signals/wanted-signals.js'

/** Requests that wait in the old generation are answered by it, in milliseconds. */
const LAST_ANSWERS_MS = 2_000

const LOOK_MS = 50

/** Told when this process begins or ends to answer for a partition. Ending waits for what it returns. */
export type ServingListener = (partition: number, serves: boolean) => void | Promise<void>

/** The profiles role: visitors' profiles in memory, kept up with the stream EVENTS and stored behind. */
export interface Profiles {
  /** Undefined also for visitors of partitions that this process doesn't hold. */
  profileOf(siteId: string, visitorId: string): Promise<Profile | undefined>
  /**
   * Resolves true as soon as everything of `partition` up to stream sequence `seq` counts in the profiles, false when
   * it doesn't within `deadlineMs` milliseconds.
   */
  waitFor(partition: number, seq: number, deadlineMs: number): Promise<boolean>
  /** Whether this process may answer for the partition at this moment. */
  serves(partition: number): boolean
  /** Whether the partition is this process's at this moment: what was asked before it was given up may be answered. */
  holds(partition: number): boolean
  /** Tells `listener` of the partitions that this process answers for now, and of every change. One listener at most. */
  onServing(listener: ServingListener): void
  /** What is still missing until all profiles are up to date, here and elsewhere; empty when nothing is. */
  missing(): string[]
  /** Of each partition held: the stream sequence up to which everything counts in its profiles. */
  applied(): { partition: number; through: number }[]
  /** Stores what has changed, gives up all partitions, then ends. */
  stop(): Promise<void>
}

export interface ProfilesParts {
  nats: Nats
  publisher: Publisher
  installation: Installation
  metrics: Metrics
  log: Log
  identity: Identity
  /** Profiles kept in memory; others are read from NATS KV when needed. Default 200,000 */
  maxProfiles?: number
  /** Bytes that they may take, estimated upwards. Default: see `defaultProfileMemory` */
  maxBytes?: number
  /** Days after which the profile of a single anonymous visit leaves; 0 for never. Default 30 */
  anonymousDays?: number
  /** The clock by which they leave, and the time between two looks, in milliseconds. Default: see `SweepParts` */
  now?: () => number
  everyMs?: number
  /** Told whose messages are read. */
  spread?: Pick<Spread, 'add'>
  /** What is from before a person's deletion is not applied. Default: none was deleted */
  tombstones?: Tombstones
}

/**
 * Starts the profiles role: it keeps its share of the partitions, in the generation that counts. When a rebuild
 * switches to another one, that is caught up beside the old one, which answers until then.
 */
export async function startProfiles(parts: ProfilesParts): Promise<Profiles> {
  const { nats, installation, metrics, log, identity, spread, tombstones = NO_TOMBSTONES } = parts
  const { maxProfiles = 200_000, maxBytes = defaultProfileMemory(), anonymousDays = ANONYMOUS_PROFILE_DAYS } = parts
  const { partitions } = installation
  const generations = metrics.gauge('profiles_generation', 'Generation of the profiles: one more with each rebuild')
  const wantedSignals = await watchWantedSignals(nats, installation.buckets.sites, log)
  const serving = new Set<number>()
  let listener: ServingListener = () => {}
  let sharing: Sharing | undefined
  const holds = (partition: number) => sharing?.holds(String(partition)) ?? false
  let current = generationOf(installation)
  let next: Generation | undefined
  let stopped = false
  let switching = Promise.resolve()

  generations.set(installation.generation)
  const both = () => (next ? [current, next] : [current])

  function generationOf(of: Installation): Generation {
    return createGeneration({
      ...parts,
      installation: of,
      maxProfiles,
      maxBytes,
      anonymousDays,
      onEnvelope: (partition, { siteId, visitorId, messages }) =>
        spread?.add(partition, siteId, visitorId, messages.length),
      wantedSignals,
      tombstones,
      holds,
    })
  }

  const keepIn = (generation: Generation, partition: number) =>
    generation.keep(partition, () => {
      if (generation === current) void setServing(partition, true)
    })

  async function setServing(partition: number, serves: boolean): Promise<void> {
    if (serves === serving.has(partition)) return
    if (serves) serving.add(partition)
    else serving.delete(partition)
    await listener(partition, serves)
  }

  sharing = await startOwnership({
    nats,
    installation,
    metrics,
    log,
    identity,
    group: 'profiles',
    resources: Array.from({ length: partitions }, (_, index) => String(index)),
    onGain(gained) {
      for (const resource of gained) for (const generation of both()) keepIn(generation, Number(resource))
    },
    async onRelease(resource) {
      await setServing(Number(resource), false)
      await Promise.all(both().map(generation => generation.release(Number(resource))))
    },
    onLose(resource) {
      void setServing(Number(resource), false)
      for (const generation of both()) generation.drop(Number(resource))
    },
  })

  const forgetting = answerForget({ nats, holds, generations: both, log })
  const watching = await watchGeneration(
    nats,
    installation.buckets.meta,
    installation.generation,
    generation => {
      switching = switching
        .then(() => switchTo(generation))
        .catch(error => {
          // Ends the process; whoever supervises it starts it again, in the new generation.
          if (!stopped) throw new Error(`generation ${generation} of the profiles can not be loaded`, { cause: error })
        })
    },
    log,
  )

  async function switchTo(generation: number): Promise<void> {
    if (stopped) return
    const profiles = await nats.kvm.open(profilesBucket(generation))
    const buckets = { ...installation.buckets, profiles }
    next = generationOf({ ...installation, generation, buckets })
    const held = Array.from({ length: partitions }, (_, index) => index).filter(holds)
    for (const partition of held) keepIn(next, partition)
    while (!stopped && !isUpToDate(next)) await pause(LOOK_MS)
    if (stopped) return
    const old = current
    current = next
    next = undefined
    generations.set(generation)
    for (const { partition } of applied()) void setServing(partition, true)
    log.info({ generation }, 'the profiles of another generation count now')
    await pause(LAST_ANSWERS_MS)
    await old.stop()
  }

  function applied() {
    const found: { partition: number; through: number }[] = []
    for (let partition = 0; partition < partitions; partition++) {
      const kept = current.kept(partition)
      if (kept) found.push({ partition, through: kept.progress.through })
    }
    return found
  }

  return {
    profileOf: async (siteId, visitorId) =>
      current.kept(partitionOf(siteId, visitorId, partitions))?.profileOf(siteId, visitorId),
    waitFor: async (partition, seq, deadlineMs) =>
      (await current.kept(partition)?.progress.waitFor(seq, deadlineMs)) ?? false,
    serves: partition => serving.has(partition) && holds(partition),
    holds,
    onServing(wanted) {
      listener = wanted
      for (const partition of serving) void wanted(partition, true)
    },
    missing() {
      const unowned = sharing.unowned().length
      const behind = current.missing()
      return [
        ...(unowned > 0 ? [`profiles: ${unowned} partitions have no owner yet`] : []),
        ...(behind.partitions > 0 ? [`profiles: ${behind.partitions} partitions are still to be loaded`] : []),
        ...(behind.messages > 0 ? [`profiles: up to ${behind.messages} messages are still to be replayed`] : []),
      ]
    },
    applied,
    async stop() {
      stopped = true
      watching.stop()
      await forgetting.stop()
      await switching
      await sharing.stop()
      await Promise.all(both().map(generation => generation.stop()))
      wantedSignals.stop()
      log.info('profiles stored')
    },
  }
}

function isUpToDate(generation: Generation): boolean {
  const { messages, partitions } = generation.missing()
  return messages === 0 && partitions === 0
}

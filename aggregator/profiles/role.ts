import { type Profile, partitionOf, STREAMS } from '@slotstream/protocol'
import {
  createDeadLetters,
  type Installation,
  type Log,
  type Metrics,
  type Nats,
  type Publisher,
  readStream,
} from '@slotstream/runtime'
import type { Spread } from '../status/spread.js'
import { createApplier } from './applier.js'
import { parseEnvelope } from './parse-envelope.js'
import { createPartition } from './partition.js'
import { createProfileStore } from './profile-store.js'
import { createProgress } from './progress.js'
import { createWriteBehind } from './write-behind.js'

/** Time between two passes that store what has changed. What a crash undoes is replayed in a fraction of it. */
const STORE_EVERY_MS = 500

/** Most profiles that wait to be stored, and messages that wait for a profile, before reading pauses. */
const MAX_UNSTORED = 20_000
const MAX_PENDING = 1_000

const RETRY_MS = 250

/** Passes that `stop` makes at most to store everything. A replay makes up for what it couldn't store. */
const FINAL_PASSES = 3

/** The profiles role: visitors' profiles in memory, kept up with the stream EVENTS and stored behind. */
export interface Profiles {
  profileOf(siteId: string, visitorId: string): Promise<Profile | undefined>
  /**
   * Resolves true as soon as everything of `partition` up to stream sequence `seq` counts in the profiles, false when
   * it doesn't within `deadlineMs` milliseconds.
   */
  waitFor(partition: number, seq: number, deadlineMs: number): Promise<boolean>
  /** What it still waits for before its profiles are up to date; empty when they are. */
  missing(): string[]
  /** Of each partition: the stream sequence up to which everything counts in its profiles. */
  applied(): { partition: number; through: number }[]
  /** Stores what has changed, then ends. */
  stop(): Promise<void>
}

export interface ProfilesParts {
  nats: Nats
  publisher: Publisher
  installation: Installation
  metrics: Metrics
  log: Log
  maxProfiles?: number
  spread?: Pick<Spread, 'add'>
}

/**
 * Starts the profiles role for all partitions. Resolves when the stored profiles are loaded; what the stream has
 * beyond them is replayed afterwards, see `missing`.
 *
 * @param maxProfiles profiles kept in memory, about 2 KB each; others are read from NATS KV when needed. Default 200,000
 * @param spread told whose messages are read
 */
export async function startProfiles({
  nats,
  publisher,
  installation,
  metrics,
  log,
  maxProfiles = 200_000,
  spread,
}: ProfilesParts): Promise<Profiles> {
  const counted = metrics.counter('profiles_messages_total', 'Messages of the stream, by what became of them', [
    'result',
  ])
  const inMemory = metrics.gauge('profiles_in_memory', 'Profiles in memory')
  const unstored = metrics.gauge('profiles_unstored', 'Profiles changed since they were last stored')
  const lag = metrics.gauge('profiles_lag_messages', 'Messages of the stream that are not applied yet')
  const storing = metrics.seconds('profiles_store_seconds', 'Time that one pass of storing changed profiles took')

  let stopping = false
  const store = createProfileStore(nats, publisher, installation, log)
  const indexes = Array.from({ length: installation.partitions }, (_, index) => index)
  const { first_seq, last_seq: end } = (await nats.manager.streams.info(STREAMS.events.name)).state
  // A stream that lost its end, in a power cut say, gives its sequences out again: what counted beyond it must not
  // make the new messages look like replays.
  const checkpoints = await Promise.all(indexes.map(async index => Math.min(end, await store.readCheckpoint(index))))
  const start = Math.max(Math.min(...checkpoints), first_seq - 1)
  const partitions = indexes.map(() =>
    createPartition(Math.ceil(maxProfiles / installation.partitions), (siteId, visitorId) =>
      untilItWorks(() => store.read(siteId, visitorId), 'reading a profile'),
    ),
  )
  const partitionFor = (siteId: string, visitorId: string) =>
    partitions[partitionOf(siteId, visitorId, installation.partitions)]
  const all = await store.loadNewest(maxProfiles, profile =>
    partitionFor(profile.siteId, profile.visitorId)?.load(profile.seq > end ? { ...profile, seq: end } : profile),
  )
  if (!all) for (const partition of partitions) partition.markIncomplete()
  const progress = createProgress(installation.partitions, start)
  const storeChanges = createWriteBehind(partitions, progress, store, checkpoints, log)
  const bury = createDeadLetters({ nats, publisher, role: 'profiles', metrics, log })
  const apply = createApplier(partitions, progress, (result, messages, seq, error) => {
    counted.inc({ result }, messages)
    if (error) return untilItWorks(() => bury(STREAMS.events.name, seq, error), 'keeping a dead letter')
  })
  const reader = readStream(nats, STREAMS.events.name, { from: start + 1, log })
  const reading = follow()
  const writing = keepStoring()
  log.info({ profiles: sum('size'), from: start + 1, to: end }, 'profiles loaded, replaying the stream')

  async function follow(): Promise<void> {
    for await (const message of reader) {
      const index = Number(message.subject.slice(STREAMS.events.subject.length + 1))
      // Waits only when the message belongs to no partition: then nothing else keeps its place.
      const envelope = parseEnvelope(message.data)
      await apply(index, message.seq, envelope)
      if (!(envelope instanceof Error))
        spread?.add(index, envelope.siteId, envelope.visitorId, envelope.messages.length)
      lag.set(message.info.pending + progress.pending)
      while (!stopping && (sum('unstoredSize') > MAX_UNSTORED || progress.pending > MAX_PENDING)) await pause(10)
    }
  }

  async function keepStoring(): Promise<void> {
    while (!stopping) {
      await pause(STORE_EVERY_MS)
      await pass(false)
    }
  }

  async function pass(final: boolean): Promise<boolean> {
    const done = storing.startTimer()
    const stored = await storeChanges(final)
    done()
    inMemory.set(sum('size'))
    unstored.set(sum('unstoredSize'))
    return stored
  }

  function sum(what: 'size' | 'unstoredSize'): number {
    return partitions.reduce((total, partition) => total + partition[what], 0)
  }

  async function untilItWorks<T>(work: () => Promise<T>, what: string): Promise<T> {
    for (;;) {
      try {
        return await work()
      } catch (error) {
        if (stopping) throw error
        log.warn({ err: error }, `${what} failed, trying again`)
        await pause(RETRY_MS)
      }
    }
  }

  return {
    profileOf: async (siteId, visitorId) => partitionFor(siteId, visitorId)?.get(siteId, visitorId),
    waitFor: progress.waitFor,
    applied: () => indexes.map(partition => ({ partition, through: progress.appliedThrough(partition) })),
    missing() {
      const behind = end - progress.position
      return behind > 0 ? [`profiles: up to ${behind} messages are still to be replayed`] : []
    },
    async stop() {
      stopping = true
      await reader.stop()
      await Promise.all([reading, writing])
      for (let passes = 0; passes < FINAL_PASSES; passes++) if (await pass(true)) break
      log.info('profiles stored')
    },
  }
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}

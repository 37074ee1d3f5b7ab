import { setTimeout as pause } from 'node:timers/promises'
import { type EventEnvelope, type ForgetRequest, partOf } from '@slotstream/protocol'
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
import { forgetProfiles } from './forget-profiles.js'
import { keepDeadLetter } from './keep-dead-letter.js'
import { createRoom } from './partition/back-pressure.js'
import { createFlush, type DirtyPartition } from './partition/flush.js'
import { type KeptPartition, keepPartition } from './partition/keep-partition.js'
import { isUnstoredTooLarge, isWaitingTooLarge, total } from './partition/waiting-bounds.js'
import { createPublishRejected } from './publish-rejected.js'
import { createPublishSignals } from './signals/publish-signals.js'
import type { WantedSignals } from './signals/wanted-signals.js'
import { createProfileStore } from './store/profile-store.js'
import { startSweeping } from './sweep-ended.js'

/** Time between two passes that store what has changed. What a crash undoes is replayed in a fraction of it. */
const STORE_EVERY_MS = 500

/** Messages between two looks at how much waits: it takes a sum over all partitions. */
const LOOK_EVERY = 32

/** Passes that storing everything of a partition takes at most. A replay makes up for what it couldn't store. */
const FINAL_PASSES = 3

/** The partitions that this process keeps, in one generation of the profiles. */
export interface Generation {
  /** Begins to keep a partition, in the background. `ready` is called when its profiles are up to date. */
  keep(index: number, ready: () => void): void
  /** A partition that is kept and has begun. */
  kept(index: number): KeptPartition | undefined
  /** Stores what has changed, then keeps the partition no more. */
  release(index: number): Promise<void>
  /** Keeps the partition no more, which belongs to another process. */
  drop(index: number): void
  /**
   * Deletes profiles of a partition that is kept, in memory and in the store, with their signals that are not published
   * yet. Resolves to how many the store had; undefined when the partition isn't kept.
   */
  forget(index: number, request: ForgetRequest): Promise<number | undefined>
  /** Messages that are still to be applied before the profiles are up to date, and partitions that haven't begun. */
  missing(): { messages: number; partitions: number }
  /** Releases all partitions, and ends. */
  stop(): Promise<void>
}

export interface GenerationParts {
  nats: Nats
  publisher: Publisher
  installation: Installation
  metrics: Metrics
  log: Log
  maxProfiles: number
  /** Bytes that profiles may take in memory. */
  maxBytes: number
  /** See `applyAndDetect`. */
  anonymousDays: number
  /** See `SweepParts`. */
  now?: () => number
  everyMs?: number
  onEnvelope: (partition: number, envelope: EventEnvelope) => void
  wantedSignals: Pick<WantedSignals, 'select'>
  tombstones: Tombstones
  /** Whether this process holds the partition, as far as it knows. */
  holds: (partition: number) => boolean
}

interface Keeping {
  abort: AbortController
  ready: () => void
  kept?: KeptPartition
}

export function createGeneration(parts: GenerationParts): Generation {
  const { nats, publisher, installation, metrics, log, maxProfiles, maxBytes, anonymousDays } = parts
  const { onEnvelope, wantedSignals, tombstones, holds } = parts
  const counted = metrics.counter('profiles_messages_total', 'Messages of the stream, by what became of them', [
    'result',
  ])
  const inMemory = metrics.gauge('profiles_in_memory', 'Profiles in memory')
  const memory = metrics.gauge('profiles_memory_bytes', 'Bytes that the profiles in memory take, estimated upwards')
  const unstored = metrics.gauge('profiles_unstored', 'Profiles changed since they were last stored')
  const storing = metrics.seconds('profiles_store_seconds', 'Time that one pass of storing changed profiles took')
  const bury = createDeadLetters({ nats, publisher, role: 'profiles', metrics, log })
  const store = createProfileStore(nats, publisher, installation, log)
  const publish = {
    signals: createPublishSignals(publisher, metrics),
    rejected: createPublishRejected(publisher, metrics),
  }
  const flush = createFlush({ store, publish, log, onOutdated: beginAnew })
  const keeping = new Map<number, Keeping>()
  let stopped = false
  let sinceLook = 0
  let waiting: Promise<void> | undefined
  let passes = Promise.resolve(true)
  const slice = createSlices()

  const all = () => [...keeping.values()].flatMap(({ kept }) => kept ?? [])
  const held = () => all().filter(({ index }) => holds(index))
  const sum = (value: (kept: KeptPartition) => number) => total(all(), value)

  const storeNow = () => pass(held())
  const roomForMessages = createRoom(
    () => isWaitingTooLarge(all(), maxBytes),
    storeNow,
    () => stopped,
  )
  // Messages that wait for profiles must not keep those from being read.
  const roomForProfiles = createRoom(
    () => isUnstoredTooLarge(all(), maxBytes),
    storeNow,
    () => stopped,
  )
  const writing = keepStoring()
  const sweeping = startSweeping({ ...parts, store, partitions: held })

  function keep(index: number, ready: () => void): void {
    if (stopped || keeping.has(index)) return
    const abort = new AbortController()
    const begun = keepPartition({
      index,
      nats,
      streams: installation.streams.events,
      store,
      log,
      maxProfiles,
      maxBytes,
      anonymousDays,
      partitions: installation.partitions,
      room,
      profileRoom: roomForProfiles,
      slice,
      onEnvelope: envelope => onEnvelope(index, envelope),
      wantedSignals,
      tombstones,
      signal: abort.signal,
      onStep: ({ outcome, messages }) => counted.inc({ result: outcome }, messages),
      deadLetter(seq, error) {
        const { name } = partOf(installation.streams.events, index)
        return keepDeadLetter(() => bury(name, seq, error), seq, log, abort.signal)
      },
    })
    const entry: Keeping = { abort, ready }
    keeping.set(index, entry)
    begun
      .then(kept => {
        if (abort.signal.aborted) return kept.stop()
        entry.kept = kept
        return kept.caughtUp.then(() => {
          if (keeping.get(index) === entry) ready()
        })
      })
      .catch(error => {
        // Otherwise it would seem to be held and never be kept: the supervisor starts the process again.
        if (!abort.signal.aborted) throw error
      })
  }

  function beginAnew(stale: DirtyPartition): void {
    const { index } = stale
    const entry = keeping.get(index)
    if (stopped || !entry || entry.kept !== stale) return
    log.warn({ partition: index }, 'the profiles read were out of date, reading them again')
    drop(index)
    keep(index, entry.ready)
  }

  /** Undefined: there is room. While there is none, all partitions wait. */
  function room(): Promise<void> | undefined {
    if (!waiting && ++sinceLook < LOOK_EVERY) return undefined
    sinceLook = 0
    waiting = roomForMessages()
    return waiting
  }

  async function keepStoring(): Promise<void> {
    while (!stopped) {
      await pause(STORE_EVERY_MS)
      await storeNow()
      inMemory.set(sum(({ cache }) => cache.size))
      memory.set(sum(({ cache }) => cache.bytes))
      unstored.set(sum(({ cache }) => cache.unstoredSize))
    }
  }

  /** One pass at a time. */
  function pass(partitions: KeptPartition[]): Promise<boolean> {
    passes = passes.then(async () => {
      const done = storing.startTimer()
      const stored = await flush(partitions)
      done()
      return stored
    })
    return passes
  }

  function take(index: number): KeptPartition | undefined {
    const entry = keeping.get(index)
    keeping.delete(index)
    entry?.abort.abort()
    return entry?.kept
  }

  function drop(index: number): void {
    void take(index)?.stop()
  }

  async function release(index: number): Promise<void> {
    const kept = take(index)
    if (!kept) return
    await kept.stop()
    for (let attempt = 0; attempt < FINAL_PASSES && holds(index); attempt++) if (await pass([kept])) break
  }

  async function forget(index: number, request: ForgetRequest): Promise<number | undefined> {
    const kept = keeping.get(index)?.kept
    return kept && forgetProfiles(kept, store, request, () => passes)
  }

  return {
    keep,
    forget,
    kept: index => keeping.get(index)?.kept,
    release,
    drop,
    missing: () => ({ messages: sum(({ behind }) => behind), partitions: keeping.size - all().length }),
    async stop() {
      await sweeping.stop()
      await Promise.all([...keeping.keys()].map(release))
      stopped = true
      await writing
    },
  }
}

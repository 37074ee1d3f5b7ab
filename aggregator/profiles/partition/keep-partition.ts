import { setTimeout as pause } from 'node:timers/promises'
import { type EventEnvelope, type Profile, partOf, type StreamPart, streamSubject } from '@slotstream/protocol'
import { type Log, type Nats, readStream, type Tombstones } from '@slotstream/runtime'
import type { WantedSignals } from '../signals/wanted-signals.js'
import { parseEnvelope } from '../store/parse-envelope.js'
import type { ProfileKeys } from '../store/profile-keys.js'
import type { ProfileStore, StoredProfile } from '../store/profile-store.js'
import { createApplier } from './applier.js'
import type { StepResult } from './apply-step.js'
import type { DirtyPartition } from './flush.js'
import { createProfileCache } from './profile-cache.js'
import { createProgress, type Progress } from './progress.js'
import { createUnpublished } from './unpublished.js'
import { withoutForgotten } from './without-forgotten.js'

const RETRY_MS = 250

/** How often the partition's newest message is looked up until it is applied, in milliseconds: it may be deleted. */
const NEWEST_MS = 1_000

/** How often a stream that seems to have lost its end is looked at before that is believed. */
const END_LOOKS = 12

/** Messages of a partition that are read ahead. Each may be as large as a batch, and there are many partitions. */
const READ_AHEAD = 64

/** A partition that this process keeps: its profiles in memory, kept up with the stream. */
export interface KeptPartition extends DirtyPartition {
  readonly progress: Progress
  /** Messages that were in the stream when it began and aren't applied yet: while there are any, profiles are old. */
  readonly behind: number
  /** Resolves when there are none any more. */
  readonly caughtUp: Promise<unknown>
  profileOf(siteId: string, visitorId: string): Promise<Profile | undefined>
  /** Reads no further. */
  stop(): Promise<void>
}

export interface KeepPartitionParts {
  index: number
  nats: Nats
  /** The streams of events. */
  streams: readonly StreamPart[]
  store: ProfileStore & Pick<ProfileKeys, 'renameKeys'>
  log: Log
  /** Profiles of all partitions that may be in memory, their bytes, and how many partitions there are. */
  maxProfiles: number
  maxBytes: number
  partitions: number
  /** Resolves when there is room for more that isn't stored; undefined where there is. */
  room: () => Promise<void> | undefined
  /** The same for a profile that is to be read. */
  profileRoom: () => Promise<void> | undefined
  /** Resolves when other work had its turn; undefined where it needn't yet. */
  slice: () => Promise<void> | undefined
  /** Called once with the result of each message that was applied. */
  onStep: (result: StepResult) => void
  /** See `ApplierDeps`. */
  deadLetter: (seq: number, error: unknown) => Promise<void>
  onEnvelope: (envelope: EventEnvelope) => void
  wantedSignals: Pick<WantedSignals, 'select'>
  /** See `applyAndDetect`. */
  anonymousDays: number
  /** What is from before a person's deletion is not applied. */
  tombstones: Tombstones
  signal: AbortSignal
}

/**
 * Begins to keep a partition: from its checkpoint on, the stream is applied to the stored profiles, which are read when
 * they are needed, and all in the background. Tries for ever, and rejects only after `signal`.
 */
export async function keepPartition(parts: KeepPartitionParts): Promise<KeptPartition> {
  const { index, nats, streams, store, log, maxProfiles, maxBytes, partitions, room, profileRoom, slice, signal } =
    parts
  const { onStep, deadLetter, onEnvelope, wantedSignals, tombstones, anonymousDays } = parts
  const { name } = partOf(streams, index)
  const subject = streamSubject('events', index)

  const stored = await persist(() => store.readCheckpoint(index))
  if (!stored.keys) await persist(() => store.renameKeys(index))
  const end = await endOfStream(stored.seq)
  let newest = await newestSequence()
  // A stream that lost its end, in a power cut say, gives its sequences out again: what counted beyond it must not make
  // the new messages look like replays.
  const lostItsEnd = end < stored.seq
  const checkpoint = { ...stored, seq: Math.min(end, stored.seq) }
  const cache = createProfileCache({
    maxProfiles: Math.ceil(maxProfiles / partitions),
    maxBytes: Math.ceil(maxBytes / partitions),
    read: async (siteId, visitorId) => clamped(await persist(() => store.read(siteId, visitorId))),
    room: profileRoom,
  })
  const progress = createProgress(checkpoint.seq)
  const unpublished = createUnpublished(wantedSignals.select)
  const apply = createApplier({ cache, progress, unpublished, deadLetter, anonymousDays })
  const reader = readStream(nats, name, { from: checkpoint.seq + 1, filter: subject, buffer: READ_AHEAD, log })
  const loading = load()
  const reading = follow()

  async function newestSequence(): Promise<number> {
    return (await persist(() => nats.manager.streams.getMessage(name, { last_by_subj: subject })))?.seq ?? 0
  }

  /** The newest message may be deleted before it is read: then it is the one before it that is waited for. */
  async function catchUp(): Promise<void> {
    while (!(await progress.waitFor(newest, NEWEST_MS)) && !signal.aborted)
      newest = Math.min(newest, await newestSequence())
  }

  async function lastSequence(): Promise<number> {
    return (await persist(() => nats.manager.streams.info(name))).state.last_seq
  }

  /** A server that has just become the stream's leader may not know all of it for a moment. */
  async function endOfStream(least: number): Promise<number> {
    let last = await lastSequence()
    for (let look = 0; last < least && look < END_LOOKS; look++) {
      await pause(RETRY_MS)
      last = await lastSequence()
    }
    return last
  }

  /** A profile beyond the end was stored by an owner before this one that isn't done yet, unless the end was lost. */
  async function clamped({ profile, revision }: StoredProfile): Promise<StoredProfile> {
    if (!profile || profile.seq <= end || (!lostItsEnd && profile.seq <= (await lastSequence())))
      return { profile, revision }
    return { profile: { ...profile, seq: end }, revision }
  }

  async function load(): Promise<void> {
    let known = true
    const all = await store.loadNewest(
      index,
      { profiles: maxProfiles, bytes: maxBytes },
      (profile, revision) => {
        if (profile.seq <= end) cache.load(profile, revision)
        else known = false
      },
      signal,
    )
    if (all && known) cache.markComplete()
  }

  async function follow(): Promise<void> {
    for await (const message of reader) {
      const envelope = withoutForgotten(parseEnvelope(message.data), tombstones)
      const result = apply(message.seq, envelope, message.data.length)
      if (result instanceof Promise) result.then(onStep, () => {})
      else onStep(result)
      if (!(envelope instanceof Error)) onEnvelope(envelope)
      const waiting = room() ?? slice()
      if (waiting) await waiting
    }
  }

  async function persist<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work()
      } catch (error) {
        if (signal.aborted) throw error
        log.warn({ err: error, partition: index }, 'keeping a partition failed, trying again')
        await pause(RETRY_MS)
      }
    }
  }

  // Nothing depends on it: what isn't loaded is read when it is needed.
  loading.catch(error => log.warn({ err: error, partition: index }, 'the stored profiles could not be loaded at once'))
  return {
    index,
    cache,
    progress,
    unpublished,
    checkpoint,
    caughtUp: catchUp(),
    get behind() {
      return Math.max(0, newest - progress.through)
    },
    profileOf: async (siteId, visitorId) => cache.get(siteId, visitorId),
    async stop() {
      await reader.stop()
      await reading
    },
  }
}

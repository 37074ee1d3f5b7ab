import type { Profile } from '@slotstream/protocol'
import { createProgress, type Progress } from '../apply/progress.js'
import { createUnpublished } from '../apply/unpublished.js'
import { createProfileCache } from '../cache/profile-cache.js'
import type { RewardEvents } from '../learning/watch-reward-events.js'
import type { MemberChecks } from '../members/check-members.js'
import type { WantedSignals } from '../signals/wanted-signals.js'
import type { ProfileKeys } from '../store/profile-keys.js'
import type { ProfileStore, StoredProfile } from '../store/profile-store.js'
import type { TimerStore } from '../store/timer-store.js'
import { createPartitionTimers, type PartitionTimers } from '../timers/partition-timers.js'
import type { DirtyPartition } from './flush.js'
import { createFreshness, type Freshness } from './freshness.js'
import type { PartitionStream } from './partition-stream.js'
import type { Retry } from './retry.js'

/** A partition in memory, from its checkpoint on. */
export interface LoadedPartition extends DirtyPartition {
  readonly progress: Progress
  readonly timers: PartitionTimers
  readonly freshness: Freshness
  /** Last sequence of the stream when the partition was loaded. */
  readonly end: number
  /** Sequence of the partition's newest message then. It is lowered when that message is deleted before it is read. */
  newest: number
  /** Messages that were in the stream then and are not applied yet, at most: while there are any, profiles are old. */
  readonly behind: number
}

export interface LoadDeps {
  store: ProfileStore & Pick<ProfileKeys, 'takeOver'>
  /** Profiles of all partitions that may be in memory, their bytes, and how many partitions there are. */
  maxProfiles: number
  maxBytes: number
  partitions: number
  /** Resolves when there is room for a profile that is to be read; undefined where there is. */
  profileRoom: () => Promise<void> | undefined
  wantedSignals: Pick<WantedSignals, 'select'>
  rewardEvents: Pick<RewardEvents, 'select'>
  timerStore: TimerStore
  /** Tells the stream that a visitor's time has come. */
  tellTimer: (profile: Profile, due: number, now: number) => Promise<void>
  /** Looks at segments. Default: there are none */
  checks?: MemberChecks
  /** See `hasEnded`. */
  anonymousDays: number
  /** The clock of timers, in milliseconds since the epoch. Default: the system's */
  now?: (() => number) | undefined
  /** Called when a state that another owner stored took the place of one in memory. */
  onReplaced: (index: number, profile: Profile) => void
}

/**
 * Reads where a partition resumes and creates its memory. Profiles are read when they are needed.
 *
 * @throws once the partition is given up, see `Retry`
 */
export async function loadPartition(
  index: number,
  deps: LoadDeps,
  stream: PartitionStream,
  retry: Retry,
): Promise<LoadedPartition> {
  const { store, maxProfiles, maxBytes, partitions, profileRoom, wantedSignals, rewardEvents } = deps
  const { timerStore, tellTimer, checks, anonymousDays, now, onReplaced } = deps
  const stored = await retry(() => store.readCheckpoint(index))
  if (!stored.keys) await retry(() => store.takeOver(index))
  const end = await stream.endOfStream(stored.seq)
  const newest = await stream.newestSequence()
  // A stream that lost its end, in a power cut say, gives its sequences out again: what was applied beyond it must not
  // make the new messages look like replays.
  const hasLostEnd = end < stored.seq
  const checkpoint = { ...stored, seq: Math.min(end, stored.seq) }

  /**
   * Bounds a profile beyond the stream's end. A former owner that has not stopped yet stored it, unless the end was
   * lost.
   */
  async function clamp({ profile, revision }: StoredProfile): Promise<StoredProfile> {
    if (!profile || profile.seq <= end || (!hasLostEnd && profile.seq <= (await stream.lastSequence())))
      return { profile, revision }
    return { profile: { ...profile, seq: end }, revision }
  }

  const cache = createProfileCache({
    maxProfiles: Math.ceil(maxProfiles / partitions),
    maxBytes: Math.ceil(maxBytes / partitions),
    read: async (siteId, visitorId) => clamp(await retry(() => store.read(siteId, visitorId))),
    room: profileRoom,
    onReplaced: profile => onReplaced(index, profile),
  })
  const progress = createProgress(checkpoint.seq)
  const timers = createPartitionTimers({
    store: timerStore,
    keyOf: store.keyOf,
    read: ({ siteId, visitorId }) => cache.get(siteId, visitorId),
    visitorOf: store.visitorOf,
    tell: tellTimer,
    anonymousDays,
    ...(checks && { checks }),
    ...(now && { now }),
  })
  await retry(async () => {
    for await (const stored of timerStore.read(index)) timers.inherit(stored)
  })
  const partition: LoadedPartition = {
    index,
    cache,
    progress,
    unpublished: createUnpublished(wantedSignals.select, rewardEvents.select),
    timers,
    freshness: createFreshness(progress),
    checkpoint,
    end,
    newest,
    get behind() {
      return Math.max(0, partition.newest - progress.through)
    },
  }
  return partition
}

/**
 * Puts the newest stored profiles into a partition's memory at once. Nothing depends on it: what is not loaded is read
 * when it is needed.
 *
 * @param limit of all partitions together
 */
export async function loadStoredProfiles(
  { index, cache, end }: LoadedPartition,
  store: Pick<ProfileStore, 'loadNewest'>,
  limit: { profiles: number; bytes: number },
  abort: AbortSignal,
): Promise<void> {
  if (abort.aborted) return
  let isWithinEnd = true
  const isAll = await store.loadNewest(
    index,
    limit,
    (profile, revision) => {
      if (profile.seq <= end) cache.load(profile, revision)
      else isWithinEnd = false
    },
    abort,
  )
  if (isAll && isWithinEnd) cache.markComplete()
}

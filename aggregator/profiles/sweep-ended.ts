import { hasEnded, isOfOneVisit } from '@slotstream/core'
import { type Log, type Metrics, pause } from '@slotstream/runtime'
import type { LoadedPartition } from './partition/load-partition.js'
import type { SweptStore } from './store/profile-store.js'
import { StoreConflict } from './store/store-conflict.js'
import type { StoredEntry } from './store/stored-entries.js'

const DAY_MS = 24 * 3600_000

/** Time between two looks for profiles that have ended, in milliseconds. */
const EVERY_MS = 3600_000

/** Time between two looks at whether it is time, in milliseconds. */
const LOOK_MS = 250

export interface SweepDeps {
  store: SweptStore
  metrics: Metrics
  log: Log
  /** Days after which the profile of a single anonymous visit has ended; 0 for never. */
  anonymousDays: number
  /** Returns the partitions that this process holds and has in memory. */
  partitions: () => LoadedPartition[]
  /** Milliseconds since the epoch. Default: the clock */
  now?: () => number
  /** Time between two looks, in milliseconds. Default: an hour */
  everyMs?: number
}

/**
 * Removes profiles that have ended from memory and from the store, now and then, until it is stopped. It changes no
 * answer: a visitor that returns begins a new profile in any case, see `hasEnded`.
 *
 * The store gives the entries of a partition in the order in which they were last written, so each is looked at once
 * when it is old enough, and not again until it changes. A removal leaves a mark, by which ClickHouse learns of it; the
 * mark is erased when it is as old.
 */
export function startSweeping(deps: SweepDeps): { stop(): Promise<void> } {
  const { store, metrics, log, anonymousDays, partitions, now = Date.now, everyMs = EVERY_MS } = deps
  const removed = metrics.counter('profiles_ended_total', 'Profiles of single anonymous visits that were removed')
  const abort = new AbortController()
  const sweeping = anonymousDays > 0 ? keepSweeping() : Promise.resolve()

  async function keepSweeping(): Promise<void> {
    let next = performance.now() + everyMs
    while (!abort.signal.aborted) {
      await pause(Math.min(LOOK_MS, everyMs))
      if (performance.now() < next) continue
      for (const partition of partitions())
        await sweep(partition).catch(error =>
          log.warn(
            { err: error, partition: partition.index },
            'profiles that have ended could not be removed, trying again',
          ),
        )
      next = performance.now() + everyMs
    }
  }

  async function sweep(partition: LoadedPartition): Promise<void> {
    const { index } = partition
    const time = now()
    const from = await store.readSwept(index)
    let swept = from
    let isComplete = true
    for await (const entry of store.olderThan(index, from + 1, time - anonymousDays * DAY_MS, abort.signal)) {
      isComplete = (await settle(partition, entry, time)) && isComplete
      if (isComplete) swept = entry.revision
    }
    if (swept > from) await store.writeSwept(index, swept)
  }

  /** Removes what an entry says has ended. Resolves to whether it needs no other look until it changes. */
  async function settle({ cache, checkpoint }: LoadedPartition, entry: StoredEntry, time: number): Promise<boolean> {
    const { profile, revision, isMark } = entry
    if (isMark) await store.erase(entry)
    if (!profile || !isOfOneVisit(profile)) return true
    // What a replay would apply to it must find it.
    if (!hasEnded(profile, time, anonymousDays) || profile.seq > checkpoint.seq) return false
    if (!cache.evict(profile, revision)) return false
    try {
      await store.remove(profile, revision)
      removed.inc()
    } catch (error) {
      // It was written meanwhile: it is younger now.
      if (!(error instanceof StoreConflict)) throw error
    }
    return true
  }

  return {
    stop() {
      abort.abort()
      return sweeping
    },
  }
}

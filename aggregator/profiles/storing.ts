import { type Metrics, pause } from '@slotstream/runtime'
import type { DirtyPartition } from './partition/flush.js'
import type { LoadedPartition } from './partition/load-partition.js'
import { total } from './partition/waiting-bounds.js'

/** Time between two passes that store what has changed. What a crash undoes is replayed in a fraction of it. */
const STORE_EVERY_MS = 500

export interface StoringDeps {
  /** Stores what has changed in some partitions, see `createFlush`. */
  flush: (dirty: Iterable<DirtyPartition>) => Promise<boolean>
  /** Returns the partitions in memory, and those of them that this process holds. */
  loaded: () => LoadedPartition[]
  owned: () => LoadedPartition[]
  metrics: Metrics
}

/** Passes that store what has changed, one at a time. */
export interface Storing {
  /** Runs a pass over some partitions after the passes before. Resolves to whether all went well. */
  flush(partitions: DirtyPartition[]): Promise<boolean>
  /** Runs a pass over all partitions that this process holds. */
  flushAll(): Promise<boolean>
  /** Resolves when the passes that were begun have ended. */
  settled(): Promise<unknown>
  /** Runs a last pass, then ends. */
  stop(): Promise<void>
}

/** Stores what has changed every half a second until it is stopped. */
export function startStoring({ flush, loaded, owned, metrics }: StoringDeps): Storing {
  const inMemory = metrics.gauge('profiles_in_memory', 'Profiles in memory')
  const memory = metrics.gauge('profiles_memory_bytes', 'Bytes that the profiles in memory take, estimated upwards')
  const unstored = metrics.gauge('profiles_unstored', 'Profiles changed since they were last stored')
  const seconds = metrics.seconds('profiles_store_seconds', 'Time that one pass of storing changed profiles took')
  let passes = Promise.resolve(true)
  let isStopped = false
  const writing = run()

  function flushNext(partitions: DirtyPartition[]): Promise<boolean> {
    passes = passes.then(async () => {
      const done = seconds.startTimer()
      const isStored = await flush(partitions)
      done()
      return isStored
    })
    return passes
  }

  async function run(): Promise<void> {
    while (!isStopped) {
      await pause(STORE_EVERY_MS)
      await flushNext(owned())
      inMemory.set(total(loaded(), ({ cache }) => cache.size))
      memory.set(total(loaded(), ({ cache }) => cache.bytes))
      unstored.set(total(loaded(), ({ cache }) => cache.unstoredSize))
    }
  }

  return {
    flush: flushNext,
    flushAll: () => flushNext(owned()),
    settled: () => passes,
    stop() {
      isStopped = true
      return writing
    },
  }
}

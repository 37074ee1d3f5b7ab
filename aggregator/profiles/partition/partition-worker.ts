import type { StreamPart } from '@slotstream/protocol'
import type { ChangeProfile } from '../apply/applier.js'
import { type FollowDeps, type Follower, followStream } from './follow-stream.js'
import { type LoadDeps, type LoadedPartition, loadPartition, loadStoredProfiles } from './load-partition.js'
import { createPartitionStream } from './partition-stream.js'
import { createRetry } from './retry.js'
import { FIRST_STATE, stepWorker, type WorkerEffect, type WorkerEvent, type WorkerPhase } from './worker-state.js'

/** The work on one partition of this process: its profiles in memory, up to date with the stream. See `WorkerState`. */
export interface PartitionWorker {
  readonly phase: WorkerPhase
  /** The partition's memory; undefined while it is loading. */
  readonly partition: LoadedPartition | undefined
  /** Changes a profile in turn with the messages. Resolves at once where the partition is not followed. */
  change: ChangeProfile
  /** Reads no further, and stores what has changed while this process holds the partition. */
  release(): Promise<void>
  /** Ends at once, without storing: the partition belongs to another process, or its memory is out of date. */
  drop(): void
}

export interface PartitionWorkerDeps extends LoadDeps, FollowDeps {
  /** The streams of events. */
  streams: readonly StreamPart[]
  /** Loads stored profiles of one partition after the other. */
  loadInTurn: <T>(load: () => Promise<T>) => Promise<T>
  /** Stores what has changed in a partition. Resolves to whether all went well. */
  flush: (partition: LoadedPartition) => Promise<boolean>
  /** Returns whether this process holds a partition, as far as it knows. */
  holds: (index: number) => boolean
  /** Called once, when a partition's profiles are up to date. */
  onServing: (index: number) => void
}

/**
 * Starts the work on a partition, in the background: from its checkpoint on, the stream is applied to the stored
 * profiles. What fails is tried again until the partition is given up. A failure that cannot be retried rejects
 * unhandled, which ends the process: otherwise the partition would be held and never be served.
 */
export function startPartitionWorker(index: number, deps: PartitionWorkerDeps): PartitionWorker {
  const { nats, streams, log, store, maxProfiles, maxBytes, loadInTurn, flush, holds, onServing } = deps
  const aborting = new AbortController()
  const abort = aborting.signal
  const retry = createRetry(index, log, abort)
  const stream = createPartitionStream(nats, streams, index, retry)
  let state = FIRST_STATE
  let partition: LoadedPartition | undefined
  let follower: Follower | undefined
  let finish = () => {}
  const finished = new Promise<void>(resolve => {
    finish = resolve
  })

  function send(event: WorkerEvent): void {
    const [next, effects] = stepWorker(state, event)
    state = next
    for (const effect of effects) perform[effect]()
  }

  const perform: Record<WorkerEffect, () => void> = {
    follow() {
      follower = followStream(partition!, deps, stream, abort)
      const limit = { profiles: maxProfiles, bytes: maxBytes }
      loadInTurn(() => loadStoredProfiles(partition!, store, limit, abort)).catch(error =>
        log.warn({ err: error, partition: index }, 'the stored profiles could not be loaded at once'),
      )
      sendAfter(follower.caughtUp, () => ({ type: 'caught-up' }))
    },
    serve: () => onServing(index),
    abort: () => aborting.abort(),
    async 'stop-reader'() {
      await follower!.stop()
      send({ type: 'reader-stopped', isLeased: holds(index) })
    },
    async flush() {
      const isStored = await flush(partition!)
      send({ type: 'flushed', isStored, isLeased: holds(index) })
    },
    finish: () => finish(),
  }

  /** Failures after an abort are how attempts end that are no longer needed. */
  async function sendAfter<T>(work: Promise<T>, event: (value: T) => WorkerEvent): Promise<void> {
    try {
      send(event(await work))
    } catch (error) {
      if (!abort.aborted) throw error
    }
  }

  sendAfter(loadPartition(index, deps, stream, retry), loaded => {
    partition = loaded
    return { type: 'loaded' }
  })
  return {
    get phase() {
      return state.phase
    },
    get partition() {
      return partition
    },
    change: (...parameters) => follower?.change(...parameters),
    release() {
      send({ type: 'release' })
      return finished
    },
    drop: () => send({ type: 'drop' }),
  }
}

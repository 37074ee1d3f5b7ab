import { type EventEnvelope, parseTime } from '@slotstream/protocol'
import { type Log, type Nats, readStream, retryUntilAborted, type Tombstones } from '@slotstream/runtime'
import { type ChangeProfile, createApplier } from '../apply/applier.js'
import type { StepResult } from '../apply/apply-step.js'
import { withoutForgotten } from '../apply/without-forgotten.js'
import type { ReducerDefinitions } from '../definitions/compiled-definitions.js'
import { parseEnvelope } from '../store/parse-envelope.js'
import type { LoadedPartition } from './load-partition.js'
import type { PartitionStream } from './partition-stream.js'

/**
 * Time between two look-ups of the partition's newest message until it is applied, in milliseconds: it may be deleted.
 */
const NEWEST_MS = 1_000

/** Messages of a partition that are read ahead. Each may be as large as a batch, and there are many partitions. */
const READ_AHEAD = 64

export interface FollowDeps {
  nats: Nats
  log: Log
  /** Resolves when there is room for more that is not stored; undefined where there is. */
  messageRoom: () => Promise<void> | undefined
  /** Resolves when other work had its turn; undefined where it need not yet. */
  slice: () => Promise<void> | undefined
  /** Called once with each message read of the partition. */
  onEnvelope: (partition: number, envelope: EventEnvelope) => void
  /** Called once with the result of each message that was applied. */
  onStep: (result: StepResult) => void
  /** Stores a message of a stream as a dead letter. */
  deadLetter: (stream: string, seq: number, error: unknown) => Promise<void>
  /** See `applyAndDetect`. */
  anonymousDays: number
  /** Returns what a site declares. */
  definitionsOf: (siteId: string) => ReducerDefinitions
  /** Marks of deleted people: messages from before a deletion are not applied. */
  tombstones: Tombstones
}

/** A reader that applies a partition's stream. */
export interface Follower {
  /** Resolves when everything that was in the stream when the partition was loaded is applied, or after an abort. */
  readonly caughtUp: Promise<void>
  /** Changes a profile in turn with the messages. */
  readonly change: ChangeProfile
  /** Ends reading. Resolves when what was read is handed to the applier. */
  stop(): Promise<void>
}

/** Applies the stream to a partition from its checkpoint on, in the background. */
export function followStream(
  partition: LoadedPartition,
  deps: FollowDeps,
  stream: PartitionStream,
  abort: AbortSignal,
): Follower {
  const { nats, log, messageRoom, slice, onEnvelope, onStep, deadLetter, anonymousDays, definitionsOf, tombstones } =
    deps
  const { index, cache, progress, unpublished, timers, checkpoint, freshness } = partition
  const apply = createApplier({
    cache,
    progress,
    unpublished,
    timers,
    deadLetter: (seq, error) =>
      retryUntilAborted(
        () => deadLetter(stream.name, seq, error),
        abort,
        failure => log.warn({ err: failure, seq }, 'storing a dead letter failed, trying again'),
      ),
    anonymousDays,
    definitionsOf,
  })
  const { name, subject } = stream
  const reader = readStream(nats, name, { from: checkpoint.seq + 1, filter: subject, buffer: READ_AHEAD, log })
  const reading = read()

  async function read(): Promise<void> {
    for await (const message of reader) {
      const { data } = message
      const envelope = withoutForgotten(parseEnvelope(data), tombstones)
      freshness.read(message.info.pending)
      const result = apply(message.seq, envelope, data.length)
      if (result instanceof Promise)
        result.then(
          step => noteStep(step, envelope),
          () => {},
        )
      else noteStep(result, envelope)
      if (!(envelope instanceof Error)) onEnvelope(index, envelope)
      const waiting = messageRoom() ?? slice()
      if (!waiting) continue
      freshness.setPaused(true)
      await waiting
      freshness.setPaused(false)
    }
  }

  function noteStep(step: StepResult, envelope: EventEnvelope | Error): void {
    onStep(step)
    if (!(envelope instanceof Error)) freshness.applied(parseTime(envelope.receivedAt) ?? 0)
  }

  return {
    caughtUp: catchUp(partition, stream, abort),
    change: apply.change,
    async stop() {
      await reader.stop()
      await reading
    },
  }
}

/**
 * Waits until the newest message is applied. It may be deleted before it is read: then the one before it is waited for.
 */
async function catchUp(partition: LoadedPartition, stream: PartitionStream, abort: AbortSignal): Promise<void> {
  while (!(await partition.progress.waitFor(partition.newest, NEWEST_MS)) && !abort.aborted)
    partition.newest = Math.min(partition.newest, await stream.newestSequence())
}

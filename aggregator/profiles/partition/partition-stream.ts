import { partOf, type StreamPart, streamSubject } from '@slotstream/protocol'
import { type Nats, pause } from '@slotstream/runtime'
import type { Retry } from './retry.js'

/** Time between two looks at a stream that seems to have lost its end, in milliseconds, and how many there are. */
const LOOK_MS = 250
const END_LOOKS = 12

/** A partition's place in the streams of events. */
export interface PartitionStream {
  readonly name: string
  readonly subject: string
  /** Resolves to the sequence of the partition's newest message, 0 where it has none. */
  newestSequence(): Promise<number>
  /** Resolves to the last sequence of the stream, whichever partition it belongs to. */
  lastSequence(): Promise<number>
  /**
   * Resolves to the last sequence of the stream. One below `least` is looked at again for 3 seconds: a server that has
   * just become the stream's leader may not have all of it for a moment.
   */
  endOfStream(least: number): Promise<number>
}

/** Creates the view of a partition's stream. All that it reads is retried by `retry`. */
export function createPartitionStream(
  nats: Nats,
  streams: readonly StreamPart[],
  index: number,
  retry: Retry,
): PartitionStream {
  const { name } = partOf(streams, index)
  const subject = streamSubject('events', index)

  async function lastSequence(): Promise<number> {
    return (await retry(() => nats.manager.streams.info(name))).state.last_seq
  }

  return {
    name,
    subject,
    async newestSequence() {
      return (await retry(() => nats.manager.streams.getMessage(name, { last_by_subj: subject })))?.seq ?? 0
    },
    lastSequence,
    async endOfStream(least) {
      let last = await lastSequence()
      for (let look = 0; last < least && look < END_LOOKS; look++) {
        await pause(LOOK_MS)
        last = await lastSequence()
      }
      return last
    },
  }
}

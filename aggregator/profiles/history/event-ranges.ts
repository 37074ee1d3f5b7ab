import { POSITIONS_PER_STREAM, partOf, type StreamPart, stores } from '@slotstream/protocol'
import type { Installation, Nats, PastPart } from '@slotstream/runtime'

/** Messages that one of the streams of events has now, both ends included. None when `first` comes after `end`. */
export interface Range {
  part: StreamPart
  first: number
  end: number
  /** Time when its first message was stored, in milliseconds since the epoch. */
  firstAt: number
}

/** Ranges of all streams of events at one moment. */
export interface EventRanges {
  /** Ranges of streams that no longer take messages. */
  past: readonly Range[]
  current: readonly Range[]
  /** Both, oldest first. */
  all: readonly Range[]
  /** Returns the range of the stream that takes a partition's messages. */
  currentOf(partition: number): Range
  /** Returns the ranges that may have messages of a partition, oldest first. */
  of(partition: number): Range[]
  /** Returns the sequence before the first message that the streams have of a partition. */
  asOf(partition: number): number
  /**
   * Returns the same with the time at which that message was stored, in milliseconds since the epoch; 0 for both where
   * the streams still have the first message that there ever was.
   */
  beginOf(partition: number): { from: number; fromTime: number }
}

/** Reads what the streams of events have now: a rebuild reads nothing after it, and the live roles go on from there. */
export async function readEventRanges(
  nats: Nats,
  { past, streams }: Pick<Installation, 'past' | 'streams'>,
): Promise<EventRanges> {
  const readRanges = (parts: readonly (StreamPart & Partial<PastPart>)[]) =>
    Promise.all(parts.map(part => rangeOf(nats, part)))
  const ranges = { past: await readRanges(past.events), current: await readRanges(streams.events) }
  const all = [...ranges.past, ...ranges.current]

  function currentOf(partition: number): Range {
    const { name } = partOf(streams.events, partition)
    return ranges.current.find(({ part }) => part.name === name)!
  }

  const rangesOfPartition = (partition: number) => [
    ...ranges.past.filter(({ part }) => stores(part, partition)),
    currentOf(partition),
  ]
  const oldestOf = (partition: number) => rangesOfPartition(partition).find(({ first, end }) => first <= end)

  function asOf(partition: number): number {
    const oldest = oldestOf(partition)
    return oldest ? oldest.first - 1 : currentOf(partition).end
  }

  return {
    ...ranges,
    all,
    currentOf,
    of: rangesOfPartition,
    asOf,
    beginOf(partition) {
      const isWhole = rangesOfPartition(partition).every(({ part, first }) => first <= part.start)
      if (isWhole) return { from: 0, fromTime: 0 }
      return { from: asOf(partition), fromTime: oldestOf(partition)?.firstAt ?? Number.POSITIVE_INFINITY }
    },
  }
}

async function rangeOf(nats: Nats, part: StreamPart & Partial<PastPart>): Promise<Range> {
  if (part.gone) return { part, first: POSITIONS_PER_STREAM, end: 0, firstAt: 0 }
  const { first_seq, last_seq, first_ts } = (await nats.manager.streams.info(part.name)).state
  return { part, first: Math.max(1, first_seq), end: last_seq, firstAt: Date.parse(first_ts) }
}

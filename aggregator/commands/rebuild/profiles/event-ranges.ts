import { POSITIONS_PER_STREAM, partOf, type StreamPart, stores } from '@slotstream/protocol'
import type { Installation, Nats, PastPart } from '@slotstream/runtime'

/** Messages that one of the streams of events has now, both ends included. None when `first` comes after `end`. */
export interface Range {
  part: StreamPart
  first: number
  end: number
}

/** Ranges of all streams of events at one moment. */
export interface EventRanges {
  /** Of streams that take no messages any more. */
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
}

/** Reads what the streams of events have now: a rebuild reads nothing after it, and the live roles go on from there. */
export async function readEventRanges(
  nats: Nats,
  { past, streams }: Pick<Installation, 'past' | 'streams'>,
): Promise<EventRanges> {
  const rangesOf = (parts: readonly (StreamPart & Partial<PastPart>)[]) =>
    Promise.all(parts.map(part => rangeOf(nats, part)))
  const ranges = { past: await rangesOf(past.events), current: await rangesOf(streams.events) }
  const all = [...ranges.past, ...ranges.current]

  function currentOf(partition: number): Range {
    const { name } = partOf(streams.events, partition)
    return ranges.current.find(({ part }) => part.name === name)!
  }

  return {
    ...ranges,
    all,
    currentOf,
    of: partition => [...ranges.past.filter(({ part }) => stores(part, partition)), currentOf(partition)],
    asOf(partition) {
      const oldest = all.find(({ part, first, end }) => stores(part, partition) && first <= end)
      return oldest ? oldest.first - 1 : currentOf(partition).end
    },
  }
}

async function rangeOf(nats: Nats, part: StreamPart & Partial<PastPart>): Promise<Range> {
  if (part.gone) return { part, first: POSITIONS_PER_STREAM, end: 0 }
  const { first_seq, last_seq } = (await nats.manager.streams.info(part.name)).state
  return { part, first: Math.max(1, first_seq), end: last_seq }
}

import { STREAMS, type StreamKind } from './subjects.js'

/**
 * Positions that belong to one stream: more than it can ever hold, so that those of the streams of a kind never meet.
 * With `MAX_STREAMS` streams the last position is still a safe integer.
 */
export const POSITIONS_PER_STREAM = 2 ** 43

/** Streams that a kind may have had over time. */
export const MAX_STREAMS = 1024

/** One of the streams of a kind: it stores a range of partitions. */
export interface StreamPart {
  /** Of the first one there ever was the plain name, `EVENTS`; then `EVENTS_1` and so on. */
  name: string
  /** Subjects that it stores, as NATS has them. */
  subjects: string[]
  /** Its partitions, both ends included. */
  first: number
  last: number
  /**
   * Added to its sequences wherever they stand beside those of its sisters, as in the tables: the position of its
   * messages. 0 for the first one.
   */
  base: number
  /** Its first sequence: 1, or what follows the sequences of the streams that it took over from. */
  start: number
}

/** Streams of a kind that took messages before others took over. */
export interface PastStreams {
  count: number
  /** No sequence in any of them is higher. */
  end: number
}

/**
 * Returns the streams of a kind, in the order of their partitions. Pure: every process computes the same.
 *
 * @param count how many there are, from 1 to `partitions`
 * @param past those that they took over from, oldest first. Names and positions go on after theirs, and so do
 * sequences, so that a later message of a partition has a higher one
 */
export function streamParts(
  kind: StreamKind,
  count: number,
  partitions: number,
  past: readonly PastStreams[] = [],
): StreamPart[] {
  const { name, subject } = STREAMS[kind]
  const before = past.reduce((sum, streams) => sum + streams.count, 0)
  const start = (past.at(-1)?.end ?? 0) + 1
  return Array.from({ length: count }, (_, place) => {
    const index = before + place
    const first = Math.floor((place * partitions) / count)
    const last = Math.floor(((place + 1) * partitions) / count) - 1
    return {
      name: index === 0 ? name : `${name}_${index}`,
      // A wildcard can't be split, and a list of all would be long for nothing.
      subjects:
        count === 1 ? [`${subject}.*`] : Array.from({ length: last - first + 1 }, (_, i) => `${subject}.${first + i}`),
      first,
      last,
      base: index * POSITIONS_PER_STREAM,
      start,
    }
  })
}

/**
 * Returns the streams of a kind that take nothing any more, oldest first: they keep what they have until it is too old.
 */
export function pastParts(kind: StreamKind, partitions: number, past: readonly PastStreams[]): StreamPart[] {
  return past.flatMap(({ count }, index) =>
    streamParts(kind, count, partitions, past.slice(0, index)).map(part => ({
      ...part,
      subjects: [`retired.${part.name}`],
    })),
  )
}

/** Returns the one of a kind's streams that stores a partition. Throws when there is no such partition. */
export function partOf(parts: readonly StreamPart[], partition: number): StreamPart {
  const part = parts.find(each => stores(each, partition))
  if (!part) throw new Error(`no stream stores partition ${partition}`)
  return part
}

/** Tells whether a partition is one of the stream's. */
export function stores({ first, last }: StreamPart, partition: number): boolean {
  return partition >= first && partition <= last
}

import { STREAMS, type StreamKind } from './subjects.js'

/**
 * Positions that belong to one stream: more than it can ever hold, so that those of the streams of a kind never meet.
 * With 1,024 streams the last position is still a safe integer.
 */
export const POSITIONS_PER_STREAM = 2 ** 43

/** One of the streams of a kind: it stores a range of partitions. */
export interface StreamPart {
  /** Of the first one the plain name, `EVENTS`; then `EVENTS_1` and so on. */
  name: string
  /** What it stores, in NATS's words. */
  subjects: string[]
  /** Its partitions, both ends included. */
  first: number
  last: number
  /**
   * Added to its sequences wherever they stand beside those of its sisters, as in the tables: the position of its
   * messages. 0 for the first one.
   */
  base: number
}

/**
 * The streams of a kind, in the order of their partitions. Pure: every process comes to the same.
 *
 * @param count how many there are, from 1 to `partitions`
 */
export function streamParts(kind: StreamKind, count: number, partitions: number): StreamPart[] {
  const { name, subject } = STREAMS[kind]
  return Array.from({ length: count }, (_, index) => {
    const first = Math.floor((index * partitions) / count)
    const last = Math.floor(((index + 1) * partitions) / count) - 1
    return {
      name: index === 0 ? name : `${name}_${index}`,
      // A wildcard can't be split, and a list of all would be long for nothing.
      subjects:
        count === 1 ? [`${subject}.*`] : Array.from({ length: last - first + 1 }, (_, i) => `${subject}.${first + i}`),
      first,
      last,
      base: index * POSITIONS_PER_STREAM,
    }
  })
}

/** The one of a kind's streams that stores a partition. Throws when there is no such partition. */
export function partOf(parts: readonly StreamPart[], partition: number): StreamPart {
  const part = parts.find(({ first, last }) => partition >= first && partition <= last)
  if (!part) throw new Error(`no stream stores partition ${partition}`)
  return part
}

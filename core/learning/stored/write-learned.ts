import type { ContentRow } from '../../features/content/content-values.js'
import type { Learned } from '../fold/learned.js'
import type { MissedRanges } from '../fold/missed.js'
import { writeEpoch } from './write-epoch.js'

/** Sequence of the last message that was learned from, by name of the stream. */
export type StreamPositions = Record<string, number>

/** First line of a snapshot. */
export interface StoredHead {
  version: 1
  /** When it was written, in milliseconds since the epoch. */
  at: number
  positions: StreamPositions
  /** For each partition: see `TakenMessages`. */
  partitions: [partition: number, stored: number, above: number[]][]
  /** For each fill: see `TakenFill`. Absent: there are none */
  fills?: [key: string, stored: number, above: number[], at: number][]
  removals: [id: string, at: number][]
  missed: MissedRanges
}

/** Line of a slot, followed by its epochs. */
export interface StoredSlot {
  siteId: string
  slotId: string
  now: number
  /** Number of lines with epochs that follow. */
  epochs: number
}

/** Line of a content, see `ContentTotal`. */
export interface StoredContent {
  siteId: string
  contentId: string
  rows: [key: string, row: ContentRow][]
}

/**
 * Writes everything that was learned as lines of JSON: a head, then each slot with its epochs, then each content, all
 * sorted, so that equal states are equal lines.
 *
 * @param at milliseconds since the epoch
 */
export function* writeLearned(learned: Learned, positions: StreamPositions, at: number): Generator<string> {
  const byNumber = (a: number, b: number) => a - b
  const head: StoredHead = {
    version: 1,
    at,
    positions,
    partitions: [...learned.partitions]
      .sort(([a], [b]) => a - b)
      .map(([partition, { stored, above }]) => [partition, stored, [...above].sort(byNumber)]),
    ...(learned.fills.size > 0 && {
      fills: [...learned.fills]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, fill]) => [key, fill.stored, [...fill.above].sort(byNumber), fill.at]),
    }),
    removals: [...learned.removals].sort(([a], [b]) => (a < b ? -1 : 1)),
    missed: learned.missed,
  }
  yield JSON.stringify(head)
  const slots = [...learned.slots].sort(([a], [b]) => (a < b ? -1 : 1))
  for (const [, { siteId, slotId, epochs }] of slots) {
    const cells = [...epochs.cells.values()].sort((a, b) => a.level - b.level || a.index - b.index)
    yield JSON.stringify({ siteId, slotId, now: epochs.now, epochs: cells.length } satisfies StoredSlot)
    for (const epoch of cells) yield JSON.stringify(writeEpoch(epoch))
  }
  for (const [siteId, { byId }] of [...learned.contents.sites].sort(([a], [b]) => (a < b ? -1 : 1)))
    for (const [contentId, { rows }] of [...byId].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const sorted = [...rows].sort(([a], [b]) => (a < b ? -1 : 1))
      yield JSON.stringify({ siteId, contentId, rows: sorted } satisfies StoredContent)
    }
}

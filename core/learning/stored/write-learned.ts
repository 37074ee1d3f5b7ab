import type { ContentRow } from '../../features/content/content-values.js'
import type { Learned } from '../fold/learned.js'
import type { MissedRanges } from '../fold/missed.js'
import { writeEpoch } from './write-epoch.js'

/** Positions in the streams that something was learned from: the sequence of the last message, by name. */
export type StreamPositions = Record<string, number>

/** First line of what is stored of everything that was learned. */
export interface StoredHead {
  version: 1
  /** When it was written, and as of when the epochs are, in milliseconds since the epoch. */
  at: number
  positions: StreamPositions
  /** Of each partition: sequence up to which all was told, and those above that were taken. */
  partitions: [partition: number, stored: number, above: number[]][]
  /** The same of fills, with the time of the latest one. Absent: there are none */
  fills?: [key: string, stored: number, above: number[], at: number][]
  removals: [id: string, at: number][]
  missed: MissedRanges
}

/** Line before the epochs of a slot. */
export interface StoredSlot {
  siteId: string
  slotId: string
  now: number
  /** How many lines of epochs follow. */
  epochs: number
}

/** Line of a content, with its rows: see `ContentTotal`. */
export interface StoredContent {
  siteId: string
  contentId: string
  rows: [key: string, row: ContentRow][]
}

/**
 * Writes everything that was learned as lines of JSON: a head, then each slot with its epochs, and each content, in an
 * order of their own, so that equal sums are equal lines.
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

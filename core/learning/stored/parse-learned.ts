import { isAbsentOr, isCount, isId, isListOf, isObject, isSiteId, parseJson } from '@slotstream/protocol'
import { putContent } from '../contents/content-totals.js'
import { bytesOfEpochs, emptyEpochs } from '../epochs/epochs.js'
import { contentIdsOf, type Learned, type LearnedSlot, nothingLearned, putSlot, slotKey } from '../fold/learned.js'
import { parseEpoch } from './parse-epoch.js'
import type { StoredContent, StoredHead, StoredSlot, StreamPositions } from './write-learned.js'

/** A parsed snapshot of everything that was learned. */
export interface ParsedLearned {
  learned: Learned
  positions: StreamPositions
  /** When it was written, in milliseconds since the epoch. */
  at: number
}

/**
 * Parses a snapshot that `writeLearned` wrote; undefined if any line is not as it would write it.
 *
 * @param maxBytes memory that the sums of all slots may take from now on, in bytes; the snapshot may take more.
 * Default: no limit
 */
export function parseLearned(lines: Iterable<string>, maxBytes?: number): ParsedLearned | undefined {
  const reader = lines[Symbol.iterator]()
  const next = (): unknown => {
    const { done, value } = reader.next()
    // No line of a snapshot is null.
    return done ? undefined : (parseJson(value) ?? null)
  }
  const head = next()
  if (!isHead(head)) return undefined
  const learned = nothingLearned(maxBytes)
  for (const [partition, stored, above] of head.partitions)
    learned.partitions.set(partition, { stored, above: new Set(above) })
  for (const [key, stored, above, at] of head.fills ?? []) learned.fills.set(key, { stored, above: new Set(above), at })
  learned.missed = head.missed
  for (const [id, at] of head.removals) learned.removals.set(id, at)
  for (;;) {
    const line = next()
    if (line === undefined) return { learned, positions: head.positions, at: head.at }
    if (isContent(line)) {
      putContent(learned.contents, line.siteId, { contentId: line.contentId, rows: new Map(line.rows) })
      continue
    }
    const slot = isSlot(line) ? readSlot(line, next) : undefined
    if (!slot || learned.slots.has(slotKey(slot.siteId, slot.slotId))) return undefined
    putSlot(learned, slot)
  }
}

function readSlot({ siteId, slotId, now, epochs: count }: StoredSlot, next: () => unknown): LearnedSlot | undefined {
  const epochs = emptyEpochs(now)
  for (let at = 0; at < count; at++) {
    const epoch = parseEpoch(next())
    const key = epoch && `${epoch.level}:${epoch.index}`
    if (!epoch || epochs.cells.has(key!)) return undefined
    epochs.cells.set(key!, epoch)
  }
  return { siteId, slotId, epochs, contentIds: contentIdsOf(epochs), bytes: bytesOfEpochs(epochs) }
}

function isHead(raw: unknown): raw is StoredHead {
  if (!isObject(raw) || raw.version !== 1 || !isCount(raw.at)) return false
  const { positions, partitions, fills, removals, missed } = raw
  if (!isObject(positions) || !Object.values(positions).every(isCount)) return false
  const isPartition = (entry: unknown) =>
    Array.isArray(entry) && entry.length === 3 && isCount(entry[0]) && isCount(entry[1]) && isListOf(entry[2], isCount)
  const isFill = (entry: unknown) =>
    Array.isArray(entry) &&
    entry.length === 4 &&
    typeof entry[0] === 'string' &&
    isCount(entry[1]) &&
    isListOf(entry[2], isCount) &&
    isCount(entry[3])
  if (!isAbsentOr(fills, list => isListOf(list, isFill))) return false
  const isRemoval = (entry: unknown) =>
    Array.isArray(entry) && entry.length === 2 && typeof entry[0] === 'string' && isCount(entry[1])
  return isListOf(partitions, isPartition) && isListOf(removals, isRemoval) && areRanges(missed)
}

function areRanges(raw: unknown): boolean {
  let before = -1
  return isListOf(raw, range => {
    if (!Array.isArray(range) || range.length !== 2 || !range.every(isCount)) return false
    const [first, last] = range as [number, number]
    const isRising = first > before && last >= first
    before = last
    return isRising
  })
}

function isSlot(raw: unknown): raw is StoredSlot {
  return isObject(raw) && isSiteId(raw.siteId) && isId(raw.slotId) && isCount(raw.now) && isCount(raw.epochs)
}

function isContent(raw: unknown): raw is StoredContent {
  return isObject(raw) && isSiteId(raw.siteId) && isId(raw.contentId) && isListOf(raw.rows, isRow)
}

function isRow(raw: unknown): boolean {
  if (!Array.isArray(raw) || raw.length !== 2 || typeof raw[0] !== 'string' || !Array.isArray(raw[1])) return false
  const row: unknown[] = raw[1]
  return (
    row.length % 2 === 0 && row.every((value, place) => (place % 2 === 0 ? Number.isSafeInteger(value) : isSum(value)))
  )
}

function isSum(value: unknown): boolean {
  return Number.isSafeInteger(value) || (typeof value === 'string' && /^-?\d{1,40}$/.test(value))
}

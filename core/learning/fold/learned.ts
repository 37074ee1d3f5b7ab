import { type ContentTotals, noContents } from '../contents/content-totals.js'
import { advance, bytesOfEpochs, type Epochs, emptyEpochs } from '../epochs/epochs.js'
import type { MissedRanges } from './missed.js'
import type { TakenMessages } from './repeats.js'

/** Slots of a site with something learned, at most. */
export const MAX_LEARNED_SLOTS = 1_000

/** Days that a removal or fill is remembered to detect repeats: longer than streams keep messages. */
const REMOVAL_DAYS = 60

const DAY_MS = 24 * 3_600_000

/** One slot with everything learned of it. */
export interface LearnedSlot {
  siteId: string
  slotId: string
  epochs: Epochs
  /** Ids of contents in the epochs; may have some that are no longer there. */
  contentIds: Set<string>
  /** Upper bound of the memory that the epochs take, in bytes; exact after `advanceLearned`. */
  bytes: number
}

/** Envelopes of a fill that were processed. */
export interface TakenFill extends TakenMessages {
  /** Time of the latest one, in milliseconds since the epoch. */
  at: number
}

/** Everything learned from the stream of learning records. It depends on these and on the time alone. */
export interface Learned {
  /** By `slotKey`. */
  slots: Map<string, LearnedSlot>
  /** Number of slots by site. */
  slotCounts: Map<string, number>
  /** Messages that were processed, by partition. */
  partitions: Map<number, TakenMessages>
  /** Envelopes of fills of content features that were processed, by partition, site and name. */
  fills: Map<string, TakenFill>
  /**
   * Ids of removals, and of parts of imported logs, that were processed, with their time in milliseconds since the
   * epoch.
   */
  removals: Map<string, number>
  /** Messages that were gone before they could be read. */
  missed: MissedRanges
  /** Counts for the features of content. */
  contents: ContentTotals
  /** Upper bound of the memory that all slots take, in bytes. */
  bytes: number
  /** Memory that all slots may take, in bytes. */
  maxBytes: number
}

/**
 * Returns the state before the first record.
 *
 * @param maxBytes memory that the sums of all slots may take, in bytes. Default: no limit
 */
export function nothingLearned(maxBytes = Number.POSITIVE_INFINITY): Learned {
  return {
    slots: new Map(),
    slotCounts: new Map(),
    partitions: new Map(),
    fills: new Map(),
    removals: new Map(),
    missed: [],
    contents: noContents(),
    bytes: 0,
    maxBytes,
  }
}

/** Returns the key of a slot among those of all sites. No id holds NUL. */
export function slotKey(siteId: string, slotId: string): string {
  return `${siteId}\0${slotId}`
}

/** Returns a slot, created if it is new; undefined: its site already has the most slots. */
export function slotAt(learned: Learned, siteId: string, slotId: string, now: number): LearnedSlot | undefined {
  const key = slotKey(siteId, slotId)
  const existing = learned.slots.get(key)
  if (existing) return existing
  const count = learned.slotCounts.get(siteId) ?? 0
  if (count >= MAX_LEARNED_SLOTS) return undefined
  const slot: LearnedSlot = { siteId, slotId, epochs: emptyEpochs(now), contentIds: new Set(), bytes: 0 }
  putSlot(learned, slot)
  return slot
}

/** Adds a slot that does not exist yet. */
export function putSlot(learned: Learned, slot: LearnedSlot): void {
  learned.bytes += slot.bytes
  learned.slots.set(slotKey(slot.siteId, slot.slotId), slot)
  learned.slotCounts.set(slot.siteId, (learned.slotCounts.get(slot.siteId) ?? 0) + 1)
}

/** Returns the ids of the contents in epochs. */
export function contentIdsOf(epochs: Epochs): Set<string> {
  const ids = new Set<string>()
  for (const { sums } of epochs.cells.values()) for (const id of sums.contents.keys()) ids.add(id)
  return ids
}

/**
 * Advances everything to a later time: drops slots, removals and fills that are too old.
 *
 * @returns number of epochs that were dropped because merged sums would not be exact
 */
export function advanceLearned(learned: Learned, now: number): number {
  let dropped = 0
  learned.bytes = 0
  for (const [key, slot] of [...learned.slots]) {
    dropped += advance(slot.epochs, now)
    slot.bytes = bytesOfEpochs(slot.epochs)
    learned.bytes += slot.bytes
    slot.contentIds = contentIdsOf(slot.epochs)
    if (slot.epochs.cells.size > 0) continue
    learned.slots.delete(key)
    const left = learned.slotCounts.get(slot.siteId)! - 1
    if (left > 0) learned.slotCounts.set(slot.siteId, left)
    else learned.slotCounts.delete(slot.siteId)
  }
  const oldest = now - REMOVAL_DAYS * DAY_MS
  for (const [id, at] of learned.removals) if (at < oldest) learned.removals.delete(id)
  for (const [key, { at }] of learned.fills) if (at < oldest) learned.fills.delete(key)
  return dropped
}

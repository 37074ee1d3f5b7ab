import { type ContentTotals, noContents } from '../contents/content-totals.js'
import { advance, bytesOfEpochs, type Epochs, emptyEpochs } from '../epochs/epochs.js'
import type { MissedRanges } from './missed.js'
import type { TakenMessages } from './repeats.js'

/** Slots of a site that are learned about, at most. */
export const MAX_LEARNED_SLOTS = 1_000

/** Days that a removal or fill is remembered, so that it counts once: as long as streams can repeat it, and longer. */
const REMOVAL_DAYS = 60

const DAY_MS = 24 * 3_600_000

/** What is learned of one slot. */
export interface LearnedSlot {
  siteId: string
  slotId: string
  epochs: Epochs
  /** Contents in the epochs; some may have left them since. */
  contentIds: Set<string>
  /** Memory that the epochs take, in bytes, as of the last time that all slots were brought to the present, or more. */
  bytes: number
}

/** Envelopes of a fill that were taken. */
export interface TakenFill extends TakenMessages {
  /** When the latest one was, in milliseconds since the epoch. */
  at: number
}

/** Everything that is learned from the stream of learning records: a function of these and of the time alone. */
export interface Learned {
  /** By `slotKey`. */
  slots: Map<string, LearnedSlot>
  /** Slots by site. */
  slotCounts: Map<string, number>
  /** Messages taken, by partition. */
  partitions: Map<number, TakenMessages>
  /** Envelopes taken of fills of features of content, by partition, site and name. */
  fills: Map<string, TakenFill>
  /**
   * Removals that were done, and parts of imported logs that were added, with their time, in milliseconds since the
   * epoch.
   */
  removals: Map<string, number>
  /** Messages that were gone before they could be read. */
  missed: MissedRanges
  /** Sums for the features of content. */
  contents: ContentTotals
  /** Memory that all slots take, in bytes. */
  bytes: number
  /** Memory that they may take. */
  maxBytes: number
}

/**
 * Returns what is learned before the first record.
 *
 * @param maxBytes that the sums of all slots may take. Default: no bound
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

/** Returns a slot; undefined where it is new and its site has no room for it. */
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

/** Puts a slot that is not there yet. */
export function putSlot(learned: Learned, slot: LearnedSlot): void {
  learned.bytes += slot.bytes
  learned.slots.set(slotKey(slot.siteId, slot.slotId), slot)
  learned.slotCounts.set(slot.siteId, (learned.slotCounts.get(slot.siteId) ?? 0) + 1)
}

/** Returns the contents that the epochs of a slot have. */
export function contentIdsOf(epochs: Epochs): Set<string> {
  const ids = new Set<string>()
  for (const { sums } of epochs.cells.values()) for (const id of sums.contents.keys()) ids.add(id)
  return ids
}

/**
 * Brings everything to a later time: slots and removals that are too old leave.
 *
 * @returns epochs that were dropped because their sums would no longer have been exact
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

import { isOfFill, isOfPart, type LearningEnvelope, type LearningRecord } from '@slotstream/protocol'
import { addAmounts, type ContentTotal } from '../contents/content-totals.js'
import {
  addOutcome,
  closeUnknown,
  type Epochs,
  hasContentOf,
  hasProductsOf,
  isStratumClosed,
} from '../epochs/epochs.js'
import { MAX_STORED_CONTENTS } from '../stored/stored-epoch.js'
import { MAX_REWARD, REWARD_SCALE } from '../sums/fixed-point.js'
import type { LearningOutcome } from '../sums/outcome.js'
import { type Learned, type LearnedSlot, slotAt, type TakenFill } from './learned.js'
import { isMissed } from './missed.js'
import { readFeatures } from './read-features.js'
import { noMessages, takeMessage } from './repeats.js'

/**
 * Reason why a record was not learned from, or only in part. `memory`: memory is full; the record was learned from
 * without its features or its stratum of losses, or, if its content is new, not at all.
 */
export type RecordRefusal = 'reward' | 'features' | 'slots' | 'contents' | 'inexact' | 'memory'

/** Changes by one message. */
export interface Folded {
  /** Whether the message was processed before. */
  isRepeat: boolean
  /** Slots that have changed. */
  slots: Set<LearnedSlot>
  /** Number of records that were learned from, or removed. */
  records: number
  refused: RecordRefusal[]
  /** Content of the message's site whose sums have changed. */
  contents: ContentTotal[]
}

/**
 * Share of the memory that products of features may take. The rest is for contents, without which there is no model.
 */
const LINEAR_SHARE = 3 / 4

const MAX_FIXED_REWARD = MAX_REWARD * REWARD_SCALE

/**
 * Learns from a message of the stream of learning records, or subtracts what a removal names. Repeated messages change
 * nothing, and neither does the removal of a message that was gone before it could be read. While there is memory, the
 * result does not depend on the order of messages, provided that no message comes for the first time after one whose
 * `stored` covers it. When memory is full, records that came first keep it; a record that is rejected then is rejected
 * again when it earns more or is removed.
 *
 * @param now milliseconds since the epoch: where epochs of new slots begin
 */
export function foldEnvelope(learned: Learned, partition: number, envelope: LearningEnvelope, now: number): Folded {
  const isRepeat = !take(learned, partition, envelope, now)
  const folded: Folded = { isRepeat, slots: new Set(), records: 0, refused: [], contents: [] }
  if (folded.isRepeat || isOfMissed(learned, envelope)) return folded
  const { contents, removal } = envelope
  if (contents)
    folded.contents = addAmounts(learned.contents, envelope.siteId, contents, removal === undefined ? 1 : -1)
  for (const record of envelope.records) {
    const slot = slotAt(learned, envelope.siteId, record.slotId, now)
    const refusal = slot ? foldRecord(learned, slot, record, envelope.removal !== undefined) : NO_SLOT
    if (refusal) folded.refused.push(refusal.reason)
    if (refusal && !refusal.isPartial) continue
    folded.records++
    folded.slots.add(slot!)
  }
  return folded
}

function isOfMissed({ missed }: Learned, { removal, removes }: LearningEnvelope): boolean {
  return removal !== undefined && removes !== undefined && isMissed(missed, removes)
}

function take(learned: Learned, partition: number, envelope: LearningEnvelope, now: number): boolean {
  const { seq, stored, removal, batch, receivedAt } = envelope
  const isFill = removal === undefined && isOfFill(envelope)
  const once = removal ?? (isFill ? undefined : batch)
  if (once !== undefined) {
    // Parts go with their message: a name is forgotten at some time.
    if (removal === undefined && isOfPart(envelope) && seq <= (learned.partitions.get(partition)?.stored ?? 0))
      return false
    if (learned.removals.has(once)) return false
    learned.removals.set(once, Date.parse(receivedAt))
    return true
  }
  if (isFill) {
    return takeMessage(takenOfFill(learned, partition, envelope, now), seq, stored)
  }
  const messages = learned.partitions.get(partition) ?? noMessages()
  learned.partitions.set(partition, messages)
  return takeMessage(messages, seq, stored)
}

/**
 * Returns the messages of a fill that were processed. A fill numbers its envelopes itself: equal numbers are repeats.
 */
function takenOfFill(
  { fills }: Learned,
  partition: number,
  { siteId, batch }: LearningEnvelope,
  now: number,
): TakenFill {
  const key = `${partition} ${siteId} ${batch}`
  const fill = fills.get(key) ?? { ...noMessages(), at: now }
  fill.at = now
  fills.set(key, fill)
  return fill
}

const NO_SLOT: Refusal = { reason: 'slots' }

interface Refusal {
  reason: RecordRefusal
  /** The record is learned from, without its features. */
  isPartial?: boolean
}

/** Learns from a record, or subtracts it. Returns why it was not used, or only in part; undefined: it was. */
function foldRecord(
  learned: Learned,
  slot: LearnedSlot,
  record: LearningRecord,
  isRemoval: boolean,
): Refusal | undefined {
  const { reward, previous, stratum, previousStratum, features: packed } = record
  if (!isReward(reward) || (previous !== undefined && !isReward(previous))) return { reason: 'reward' }
  const features = packed && readFeatures(packed)
  if (packed && !features) return { reason: 'features' }
  if (!slot.contentIds.has(record.contentId) && slot.contentIds.size >= MAX_STORED_CONTENTS)
    return { reason: 'contents' }
  const { contentId, at, position, segments = [] } = record
  const whole: LearningOutcome = {
    ...{ contentId, at, position, segments, reward },
    ...(stratum && { stratum }),
    ...(features && { features }),
  }
  const refusal = refusalOf(learned, slot, whole)
  if (refusal && !refusal.isPartial) return refusal
  const { features: _unknown, ...contentAlone } = whole
  const next: LearningOutcome = refusal ? contentAlone : whole
  const before = previous === undefined ? undefined : { ...next, reward: previous, stratum: previousStratum ?? 0 }
  const isUnweighted = leavesStrata(learned, slot, before ? [next, before] : [next])
  try {
    grow(learned, slot, replaceOutcome(slot.epochs, next, before, isRemoval ? -1 : 1))
  } catch (error) {
    if (error instanceof RangeError) return { reason: 'inexact' }
    throw error
  }
  slot.contentIds.add(contentId)
  return refusal ?? (isUnweighted ? { reason: 'memory', isPartial: true } : undefined)
}

/** Closes strata if memory is full. Returns whether one of the outcomes is in a closed stratum. */
function leavesStrata(learned: Learned, slot: LearnedSlot, outcomes: readonly LearningOutcome[]): boolean {
  const { epochs } = slot
  for (const outcome of outcomes)
    if (learned.bytes >= learned.maxBytes) grow(learned, slot, -closeUnknown(epochs, outcome))
  return outcomes.some(outcome => outcome.reward !== 0 && isStratumClosed(epochs, outcome))
}

function grow(learned: Learned, slot: LearnedSlot, bytes: number): void {
  slot.bytes += bytes
  learned.bytes += bytes
}

/**
 * Returns the refusal if there is no memory for an outcome. Existing sums are updated however full memory is. While
 * only the share of products is full, slots that take less than an equal part of it still learn features, so that a
 * flooded slot harms only itself.
 */
function refusalOf(learned: Learned, { epochs, bytes }: LearnedSlot, outcome: LearningOutcome): Refusal | undefined {
  const { maxBytes } = learned
  const isFull = learned.bytes >= maxBytes
  if (isFull && !hasContentOf(epochs, outcome)) return { reason: 'memory' }
  const forProducts = LINEAR_SHARE * maxBytes
  const hasRoom = learned.bytes < forProducts || (!isFull && bytes < forProducts / learned.slots.size)
  return hasRoom || hasProductsOf(epochs, outcome) ? undefined : { reason: 'memory', isPartial: true }
}

/**
 * Replaces an outcome by a later state of it, or undoes that. Returns by how many bytes the sums have grown.
 *
 * @throws RangeError where a sum would not be exact; then nothing has changed
 */
function replaceOutcome(
  epochs: Epochs,
  next: LearningOutcome,
  before: LearningOutcome | undefined,
  sign: 1 | -1,
): number {
  const grown = before ? addOutcome(epochs, before, sign === 1 ? -1 : 1) : 0
  try {
    return grown + addOutcome(epochs, next, sign)
  } catch (error) {
    if (before) addOutcome(epochs, before, sign)
    throw error
  }
}

function isReward(value: number): boolean {
  return Number.isSafeInteger(value) && Math.abs(value) <= MAX_FIXED_REWARD
}

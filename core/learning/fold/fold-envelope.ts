import type { LearningEnvelope, LearningRecord } from '@slotstream/protocol'
import { addAmounts, type ContentTotal } from '../contents/content-totals.js'
import { addOutcome, type Epochs } from '../epochs/epochs.js'
import { MAX_STORED_CONTENTS } from '../stored/stored-epoch.js'
import { MAX_REWARD, REWARD_SCALE } from '../sums/fixed-point.js'
import type { LearningOutcome } from '../sums/outcome.js'
import { type Learned, type LearnedSlot, slotAt } from './learned.js'
import { isMissed } from './missed.js'
import { readFeatures } from './read-features.js'
import { noMessages, takeMessage } from './repeats.js'

/** Why a record was not learned from. */
export type RecordRefusal = 'reward' | 'features' | 'slots' | 'contents' | 'inexact'

/** What a message changed. */
export interface Folded {
  /** Whether it had been taken before. */
  isRepeat: boolean
  /** Slots that have changed. */
  slots: Set<LearnedSlot>
  /** Records that were learned from, or taken away. */
  records: number
  refused: RecordRefusal[]
  /** Content of the message's site whose sums have changed. */
  contents: ContentTotal[]
}

const MAX_FIXED_REWARD = MAX_REWARD * REWARD_SCALE

/**
 * Learns from a message of the stream of learning records, or takes away what a removal names. What was taken before
 * changes nothing, nor does a removal of what was never learned from, because it was gone already. The sum over all messages is the same in any order in which no message comes for the first time after one
 * that says it was told.
 *
 * @param now milliseconds since the epoch: where epochs of new slots begin
 */
export function foldEnvelope(learned: Learned, partition: number, envelope: LearningEnvelope, now: number): Folded {
  const isRepeat = !take(learned, partition, envelope)
  const folded: Folded = { isRepeat, slots: new Set(), records: 0, refused: [], contents: [] }
  if (folded.isRepeat || isOfMissed(learned, envelope)) return folded
  const { contents, removal } = envelope
  if (contents)
    folded.contents = addAmounts(learned.contents, envelope.siteId, contents, removal === undefined ? 1 : -1)
  for (const record of envelope.records) {
    const slot = slotAt(learned, envelope.siteId, record.slotId, now)
    const refusal = slot ? foldRecord(slot, record, envelope.removal !== undefined) : 'slots'
    if (refusal) {
      folded.refused.push(refusal)
      continue
    }
    folded.records++
    folded.slots.add(slot!)
  }
  return folded
}

function isOfMissed({ missed }: Learned, { removal, removes }: LearningEnvelope): boolean {
  return removal !== undefined && removes !== undefined && isMissed(missed, removes)
}

function take(learned: Learned, partition: number, envelope: LearningEnvelope): boolean {
  const { seq, stored, removal, batch, receivedAt } = envelope
  const once = removal ?? batch
  if (once !== undefined) {
    if (learned.removals.has(once)) return false
    learned.removals.set(once, Date.parse(receivedAt))
    return true
  }
  const taken = learned.partitions.get(partition) ?? noMessages()
  learned.partitions.set(partition, taken)
  return takeMessage(taken, seq, stored)
}

/** Returns why the record changes nothing, if so. */
function foldRecord(slot: LearnedSlot, record: LearningRecord, isRemoval: boolean): RecordRefusal | undefined {
  const { reward, previous, features: packed } = record
  if (!isReward(reward) || (previous !== undefined && !isReward(previous))) return 'reward'
  const features = packed && readFeatures(packed)
  if (packed && !features) return 'features'
  if (!slot.contentIds.has(record.contentId) && slot.contentIds.size >= MAX_STORED_CONTENTS) return 'contents'
  const { contentId, at, position, segments = [] } = record
  const outcome = (earned: number): LearningOutcome => ({
    ...{ contentId, at, position, segments, reward: earned },
    ...(features && { features }),
  })
  const sign = isRemoval ? -1 : 1
  try {
    replaceOutcome(slot.epochs, outcome(reward), previous === undefined ? undefined : outcome(previous), sign)
  } catch (error) {
    if (error instanceof RangeError) return 'inexact'
    throw error
  }
  slot.contentIds.add(contentId)
  return undefined
}

/** Adds an outcome in place of the one before it, or takes that step back. Throws where a sum would not be exact, and changes nothing. */
function replaceOutcome(
  epochs: Epochs,
  next: LearningOutcome,
  before: LearningOutcome | undefined,
  sign: 1 | -1,
): void {
  if (before) addOutcome(epochs, before, sign === 1 ? -1 : 1)
  try {
    addOutcome(epochs, next, sign)
  } catch (error) {
    if (before) addOutcome(epochs, before, sign)
    throw error
  }
}

function isReward(value: number): boolean {
  return Number.isSafeInteger(value) && Math.abs(value) <= MAX_FIXED_REWARD
}

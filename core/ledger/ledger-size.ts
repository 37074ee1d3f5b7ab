import { type Earning, type KeptDecision, type KeptItem, memoryOfText, type PackedFeatures } from '@slotstream/protocol'

// Unlike other parts of profiles, these are made by servers of ours: objects of the same shape share it, and numbers in
// lists take 8 bytes. So what they take is counted by their fields, not as if each object were a stranger's.

/** Bytes of an object with its fields, of a list without its entries, and of a number in one. */
const OBJECT = 160
const LIST = 32
const NUMBER = 8

/** Bytes of arrivals of a day and session. */
export const ARRIVAL_BYTES = LIST + 5 * NUMBER

/** Bytes of decisions, by the decision itself: a message changes few of them. */
const sizes = new WeakMap<KeptDecision, number>()

/** Bytes that a kept decision takes in memory. */
export function decisionBytes(decision: KeptDecision): number {
  const before = sizes.get(decision)
  if (before !== undefined) return before
  const { decisionId, slotId, sessionId, items, rewards, segments } = decision
  let bytes = OBJECT + LIST + memoryOfText(decisionId) + memoryOfText(slotId) + memoryOfText(sessionId)
  for (const item of items) bytes += itemBytes(item)
  if (segments) bytes += textsBytes(segments)
  // Conditions are a stranger's objects: their text says what they are made of, not how.
  if (rewards) bytes += LIST + rewards.length * OBJECT + 4 * JSON.stringify(rewards).length
  sizes.set(decision, bytes)
  return bytes
}

function itemBytes({ contentId, features, clicks = [], stopAfter = '' }: KeptItem): number {
  return (
    OBJECT + memoryOfText(contentId) + memoryOfText(stopAfter) + NUMBER * clicks.length + featureVectorBytes(features)
  )
}

/** Bytes of the features of an item. */
export function featureVectorBytes(features: PackedFeatures | undefined): number {
  return features ? LIST + NUMBER * features.length : 0
}

/** Bytes that an earning takes in memory. */
export function earningBytes({ decisionId = '', contentIds = [], worth }: Earning): number {
  return OBJECT + memoryOfText(decisionId) + textsBytes(contentIds) + LIST + NUMBER * worth.length
}

/** Bytes of the count of outcomes of a slot and day. */
export function taughtBytes(slotId: string): number {
  return LIST + 3 * NUMBER + memoryOfText(slotId)
}

/** Bytes of content that was shown, or of an event that may end some. */
export function timedBytes([a, b]: readonly [string, string, number]): number {
  return LIST + 3 * NUMBER + memoryOfText(a) + memoryOfText(b)
}

/** Bytes of a list of texts. */
export function textsBytes(texts: readonly string[]): number {
  return texts.reduce((bytes, text) => bytes + NUMBER + memoryOfText(text), LIST)
}

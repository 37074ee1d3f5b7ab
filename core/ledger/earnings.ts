import {
  type Earning,
  hash32,
  isObject,
  type JsonObject,
  joined,
  type KeptDecision,
  type Sender,
  type StoredMessage,
} from '@slotstream/protocol'
import { compareTexts } from '../compare-texts.js'
import { eventNameOf } from '../conditions/event-name.js'
import { productIdOf } from '../signals/product-id.js'
import { type CompiledReward, type CompiledRewards, rewardsOf } from './rewards.js'
import { isWithin } from './times.js'

/** Earnings that a profile keeps: those that come when it has as many do not count. */
export const MAX_EARNINGS = 200

/** Products of one message that are looked at. */
const MAX_PRODUCTS = 50

/**
 * Returns what a message earns by the rewards of the decisions that are kept; undefined: nothing.
 *
 * @param sender who the message is from, for which its envelope vouches
 */
export function earningOf(
  decisions: readonly KeptDecision[],
  message: StoredMessage,
  at: number,
  sender: Sender,
): Earning | undefined {
  const decisionId = textOf(message.properties?.decisionId)
  const meant = decisionId === undefined ? decisions : decisions.filter(decision => decision.decisionId === decisionId)
  const rewards = amountsOf(meant, message, at, sender)
  const earned = [...rewards].filter(([, amount]) => amount !== 0).sort(([a], [b]) => a.hash - b.hash)
  if (earned.length === 0) return undefined
  const contentIds = namedContent(meant, message.properties, decisionId !== undefined)
  if (!contentIds) return undefined
  const worth = earned.flatMap(([{ hash }, amount]) => [hash, amount])
  const isOnce = decisionId !== undefined && earned.every(([{ isOnce }]) => isOnce)
  const id = isOnce ? onceIdOf(decisionId, contentIds, worth) : idOf(message)
  return {
    at,
    id,
    ...(sender === 'secret' && { isSecret: true as const }),
    ...(decisionId !== undefined && { decisionId }),
    ...(contentIds.length > 0 && { contentIds }),
    worth,
  }
}

/**
 * Returns what a message is worth by each reward within whose window it is. Decisions of one slot mostly share theirs.
 */
function amountsOf(decisions: readonly KeptDecision[], message: StoredMessage, at: number, sender: Sender) {
  const amounts = new Map<CompiledReward, number>()
  const done = new Set<CompiledRewards>()
  for (const decision of decisions) {
    const ofDecision = rewardsOf(decision)
    if (decision.isOnlyCounted || done.has(ofDecision)) continue
    for (const reward of ofDecision.rewards)
      if (!amounts.has(reward) && isWithin(decision, reward, at)) amounts.set(reward, reward.amountOf(message, sender))
    if (ofDecision.rewards.every(reward => amounts.has(reward))) done.add(ofDecision)
  }
  return amounts
}

/**
 * Returns the served content that a message names as content or product. Where it names its decision, only content is
 * meant, and undefined: the decision did not show it.
 */
function namedContent(
  decisions: readonly KeptDecision[],
  properties: JsonObject = {},
  namesDecision: boolean,
): string[] | undefined {
  const { products } = properties
  const contentId = textOf(properties.contentId)
  const listed = Array.isArray(products)
    ? products
        .slice(0, MAX_PRODUCTS)
        .filter(isObject)
        .map(each => productIdOf(each as JsonObject))
    : []
  const named = new Set(namesDecision ? [contentId] : [contentId, productIdOf(properties), ...listed])
  named.delete(undefined)
  if (named.size === 0) return []
  const served = new Set<string>()
  for (const { items } of decisions) {
    if (served.size === named.size) break
    for (const { contentId } of items) if (named.has(contentId)) served.add(contentId)
  }
  const contentIds = [...served].sort(compareTexts)
  return namesDecision && contentIds.length === 0 ? undefined : contentIds
}

/**
 * Returns the id by which an earning counts once: of an order once per event, whichever senders send it; without order,
 * each message's.
 */
function idOf(message: StoredMessage): number {
  const order = textOf(message.properties?.order_id)
  return hashOf(order === undefined ? ['message', message.messageId] : ['order', eventNameOf(message), order])
}

/**
 * Returns the id of a reward that counts once per item, which needs no more than one entry, however often it happens.
 */
function onceIdOf(decisionId: string, contentIds: readonly string[], worth: readonly number[]): number {
  return hashOf(['once', decisionId, ...contentIds, worth.join()])
}

/** Returns a hash of 53 bits. */
function hashOf(texts: readonly string[]): number {
  const text = joined(texts)
  return hash32(text) * 2 ** 21 + (hash32(`${text}#`) >>> 11)
}

/**
 * Returns earnings in order with one more. Of those of one id that of a secret key is kept, else the earliest: what any
 * client can send must not take the place of what a server of the site sends, whichever comes first. Where there is no
 * room for one of a secret key, the latest of those without leaves.
 */
export function withEarning(earnings: readonly Earning[], added: Earning): readonly Earning[] {
  let place = earnings.findIndex(({ id }) => id === added.id)
  if (place >= 0 && !takesPrecedence(added, earnings[place]!)) return earnings
  if (place < 0 && earnings.length < MAX_EARNINGS) place = earnings.length
  if (place < 0 && added.isSecret) place = earnings.findLastIndex(({ isSecret }) => !isSecret)
  if (place < 0) return earnings
  const updated = [...earnings]
  updated[place] = added
  return updated.sort(compareEarnings)
}

/** Returns whether one earning counts in place of another of the same id. */
function takesPrecedence(a: Earning, b: Earning): boolean {
  return a.isSecret === b.isSecret ? compareEarnings(a, b) < 0 : a.isSecret === true
}

function compareEarnings(a: Earning, b: Earning): number {
  return a.at - b.at || a.id - b.id || compareTexts(JSON.stringify(a), JSON.stringify(b))
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' && value !== '' ? value : undefined
}

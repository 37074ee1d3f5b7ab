import {
  type Earning,
  hash32,
  type JsonObject,
  joined,
  type KeptDecision,
  type StoredMessage,
} from '@slotstream/protocol'
import { compareTexts } from '../compare-texts.js'
import { eventNameOf } from '../conditions/event-name.js'
import { productIdOf } from '../signals/product-id.js'
import { type CompiledReward, rewardsOf } from './rewards.js'
import { isWithin } from './times.js'

/** Earnings that a profile keeps: those that come when it has as many do not count. */
export const MAX_EARNINGS = 200

/** Products of one message that are looked at. */
const MAX_PRODUCTS = 50

/** Returns what a message earns by the rewards of the decisions that are kept; undefined: nothing. */
export function earningOf(decisions: readonly KeptDecision[], message: StoredMessage, at: number): Earning | undefined {
  const decisionId = textOf(message.properties?.decisionId)
  const meant = decisionId === undefined ? decisions : decisions.filter(one => one.decisionId === decisionId)
  const rewards = new Map<CompiledReward, number>()
  for (const decision of meant) {
    if (decision.isOnlyCounted) continue
    for (const reward of rewardsOf(decision).rewards)
      if (!rewards.has(reward) && isWithin(decision, reward, at)) rewards.set(reward, reward.amountOf(message))
  }
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
    ...(decisionId !== undefined && { decisionId }),
    ...(contentIds.length > 0 && { contentIds }),
    worth,
  }
}

/**
 * Returns the served content that a message names as content or product. Where it names its decision, only content is meant,
 * and undefined: the decision did not show it.
 */
function namedContent(
  decisions: readonly KeptDecision[],
  properties: JsonObject = {},
  namesDecision: boolean,
): string[] | undefined {
  const { products } = properties
  const contentId = textOf(properties.contentId)
  const listed = Array.isArray(products) ? products.slice(0, MAX_PRODUCTS).filter(isObject).map(productIdOf) : []
  const named = new Set(namesDecision ? [contentId] : [contentId, productIdOf(properties), ...listed])
  named.delete(undefined)
  if (named.size === 0) return []
  const served = new Set(decisions.flatMap(({ items }) => items.map(item => item.contentId)))
  const contentIds = [...named].filter((id): id is string => served.has(id!)).sort(compareTexts)
  return namesDecision && contentIds.length === 0 ? undefined : contentIds
}

/** The same order counts once per event, from whichever sender; of messages without order each does. */
function idOf(message: StoredMessage): number {
  const order = textOf(message.properties?.order_id)
  return hashOf(order === undefined ? ['message', message.messageId] : ['order', eventNameOf(message), order])
}

/** What counts once per item needs no more than one entry, however often it happens. */
function onceIdOf(decisionId: string, contentIds: readonly string[], worth: readonly number[]): number {
  return hashOf(['once', decisionId, ...contentIds, worth.join()])
}

/** Returns a hash of 53 bits. */
function hashOf(texts: readonly string[]): number {
  const text = joined(texts)
  return hash32(text) * 2 ** 21 + (hash32(`${text}#`) >>> 11)
}

/** Returns earnings in order with one more. Of those of one id the earliest is kept. */
export function withEarning(earnings: readonly Earning[], added: Earning): readonly Earning[] {
  const place = earnings.findIndex(({ id }) => id === added.id)
  if (place < 0) return earnings.length < MAX_EARNINGS ? [...earnings, added].sort(compareEarnings) : earnings
  return compareEarnings(added, earnings[place]!) < 0 ? earnings.with(place, added).sort(compareEarnings) : earnings
}

function compareEarnings(a: Earning, b: Earning): number {
  return a.at - b.at || a.id - b.id || compareTexts(JSON.stringify(a), JSON.stringify(b))
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' && value !== '' ? value : undefined
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

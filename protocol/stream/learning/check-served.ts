import { MAX_REWARD_VALUE } from '../../site/catalog/limits.js'
import { REWARD_SENDERS, type RewardSender } from '../../site/rewards.js'
import { isObject } from '../../wire/checks/is-object.js'
import { isAbsentOr, isCount, isId, isIdOrEmpty, isListOf, isText } from '../../wire/checks/parse-stored.js'
import { MAX_ITEMS } from '../../wire/limits.js'

/** Decisions of one envelope, rewards of one slot, segments of one decision and numbers of packed features, at most. */
const MAX_SERVED = 100
const MAX_REWARDS = 100
const MAX_SEGMENTS = 1_000
const MAX_PACKED = 1_000

/** Places that features can have, at most: the largest matrix that is kept. */
const MAX_PLACES = 1_024

/** The last stratum of losses. */
const MAX_STRATUM = 7

/** Tells whether a value is a list of `ServedDecision`. */
export function isServedDecisions(value: unknown): boolean {
  return isListOf(value, isServedDecision) && value.length <= MAX_SERVED
}

function isServedDecision(value: unknown): boolean {
  return (
    isObject(value) &&
    isId(value.decisionId) &&
    isId(value.slotId) &&
    isCount(value.at) &&
    isIdOrEmpty(value.sessionId) &&
    isListOf(value.items, isServedItem) &&
    value.items.length <= MAX_ITEMS &&
    isAbsentOr(value.rewards, rewards => isListOf(rewards, isReward) && rewards.length <= MAX_REWARDS) &&
    isAbsentOr(value.most, isCount) &&
    isAbsentOr(value.countFrom, countFrom => countFrom === 'viewed' || countFrom === 'served') &&
    isAbsentOr(value.segments, names => isListOf(names, isText) && names.length <= MAX_SEGMENTS) &&
    isAbsentOr(value.isOnlyCounted, isOnlyCounted => isOnlyCounted === true) &&
    isAbsentOr(value.isGhost, isGhost => isGhost === true)
  )
}

function isServedItem(value: unknown): boolean {
  return (
    isObject(value) &&
    isId(value.contentId) &&
    isCount(value.position) &&
    value.position >= 1 &&
    isAbsentOr(value.features, isPackedFeatures) &&
    isAbsentOr(value.stopAfter, isId)
  )
}

function isReward(value: unknown): boolean {
  return (
    isObject(value) &&
    isId(value.event) &&
    isAbsentOr(value.where, isObject) &&
    isAbsentOr(value.value, worth => Number.isFinite(worth) || isId(worth)) &&
    isAbsentOr(value.min, min => isBound(min) && min <= 0) &&
    isAbsentOr(value.max, max => isBound(max) && max >= 0) &&
    isAbsentOr(value.from, from => REWARD_SENDERS.includes(from as RewardSender)) &&
    isAbsentOr(value.halfLife, isId) &&
    Number.isFinite(value.windowHours)
  )
}

function isBound(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= MAX_REWARD_VALUE
}

/** Tells whether a value is a stratum of losses other than that of none. */
export function isStratum(value: unknown): boolean {
  return isCount(value) && value >= 1 && value <= MAX_STRATUM
}

/** Tells whether a value has the shape of `PackedFeatures`: places that rise, and values that are not 0. */
export function isPackedFeatures(value: unknown): boolean {
  if (!isListOf(value, Number.isSafeInteger) || value.length > MAX_PACKED || value.length % 2 !== 0) return false
  const numbers = value as number[]
  let place = 0
  for (let at = 0; at < numbers.length; at += 2) {
    if (numbers[at]! < (at === 0 ? 0 : 1) || numbers[at + 1] === 0) return false
    place += numbers[at]!
  }
  return place < MAX_PLACES
}

import { isObject } from '../../wire/checks/is-object.js'
import { isAbsentOr, isCount, isId, isIdOrEmpty, isListOf, isText } from '../../wire/checks/parse-stored.js'

/** Whether a value has the shape of a `KeptDecision`. */
export function isKeptDecision(value: unknown): boolean {
  return (
    isObject(value) &&
    isId(value.decisionId) &&
    isId(value.slotId) &&
    Number.isFinite(value.at) &&
    isIdOrEmpty(value.sessionId) &&
    isListOf(value.items, isKeptItem) &&
    isAbsentOr(value.rewards, list => isListOf(list, isReward)) &&
    isAbsentOr(value.countFrom, from => from === 'viewed' || from === 'served') &&
    isAbsentOr(value.segments, list => isListOf(list, isText)) &&
    isAbsentOr(value.isOnlyCounted, is => is === true)
  )
}

function isKeptItem(value: unknown): boolean {
  return (
    isObject(value) &&
    isId(value.contentId) &&
    isCount(value.position) &&
    isAbsentOr(value.features, list => isListOf(list, Number.isSafeInteger)) &&
    isAbsentOr(value.stopAfter, isId) &&
    isAbsentOr(value.viewedAt, Number.isFinite) &&
    isAbsentOr(value.clicks, list => isListOf(list, Number.isFinite)) &&
    isAbsentOr(value.reward, Number.isSafeInteger)
  )
}

/** Whether a value has the shape of a `Reward`. Whether its condition can be used is seen where it is compiled. */
function isReward(value: unknown): boolean {
  return (
    isObject(value) &&
    isText(value.event) &&
    isAbsentOr(value.where, isObject) &&
    isAbsentOr(value.value, worth => isText(worth) || Number.isFinite(worth)) &&
    Number.isFinite(value.windowHours)
  )
}

/** Whether a value has the shape of an `Earning`. */
export function isEarning(value: unknown): boolean {
  return (
    isObject(value) &&
    Number.isFinite(value.at) &&
    isCount(value.id) &&
    isAbsentOr(value.decisionId, isText) &&
    isAbsentOr(value.contentIds, list => isListOf(list, isId)) &&
    isListOf(value.worth, Number.isSafeInteger) &&
    value.worth.length % 2 === 0
  )
}

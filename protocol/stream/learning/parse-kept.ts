import { isObject } from '../../wire/checks/is-object.js'
import { isAbsentOr, isCount, isId, isListOf, isText } from '../../wire/checks/parse-stored.js'
import { isServedDecisions, isStratum } from './check-served.js'

/** Tells whether a value has the shape of a `KeptDecision`: that of a served one, with what came of its items. */
export function isKeptDecision(value: unknown): boolean {
  return isServedDecisions([value]) && (value as { items: unknown[] }).items.every(hasOutcome)
}

function hasOutcome(item: unknown): boolean {
  return (
    isObject(item) &&
    isAbsentOr(item.viewedAt, Number.isFinite) &&
    isAbsentOr(item.clicks, list => isListOf(list, Number.isFinite)) &&
    isAbsentOr(item.reward, Number.isSafeInteger) &&
    isAbsentOr(item.stratum, isStratum) &&
    isAbsentOr(item.retells, isCount)
  )
}

/** Tells whether a value has the shape of an `Earning`. */
export function isEarning(value: unknown): boolean {
  return (
    isObject(value) &&
    Number.isFinite(value.at) &&
    isCount(value.id) &&
    isAbsentOr(value.isSecret, isSecret => isSecret === true) &&
    isAbsentOr(value.decisionId, isText) &&
    isAbsentOr(value.contentIds, list => isListOf(list, isId)) &&
    isListOf(value.worth, Number.isSafeInteger) &&
    value.worth.length % 2 === 0
  )
}

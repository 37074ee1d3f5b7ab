import { isAttribution } from '../../site/attribution.js'
import type { Check } from '../../wire/checks/check.js'
import { isObject } from '../../wire/checks/is-object.js'
import { isAbsentOr, isId, isIdOrEmpty, isListOf, isSiteId, isText, misfit } from '../../wire/checks/parse-stored.js'
import { isSender } from '../../wire/senders.js'
import { OUTCOMES, type Outcome } from '../../wire/slots.js'
import type { SignalEnvelope } from '../profile/signals.js'
import { isTime, originTrouble } from './parse-event-envelope.js'
import type { DecisionEnvelope, RejectedEnvelope } from './stored.js'

/** Parses a message of `decisions.<partition>`. */
export function parseDecisionEnvelope(raw: unknown): Check<DecisionEnvelope> {
  return parseList<DecisionEnvelope>(raw, 'decisions', decisionTrouble)
}

/** Parses a message of `signals.<partition>`. */
export function parseSignalEnvelope(raw: unknown): Check<SignalEnvelope> {
  return parseList<SignalEnvelope>(raw, 'signals', signalTrouble)
}

/** Parses a message of `rejected.<partition>`, which names no visitor: what was rejected may have had none. */
export function parseRejectedEnvelope(raw: unknown): Check<RejectedEnvelope> {
  if (!isObject(raw)) return misfit('the message is not a JSON object')
  if (!isSiteId(raw.siteId)) return misfit('siteId is not a site’s id')
  if (!isTime(raw.receivedAt)) return misfit('receivedAt is not a time')
  if (!isAbsentOr(raw.sentAt, isText)) return misfit('sentAt is not text')
  if (!isAbsentOr(raw.sender, isSender)) return misfit('sender is none that there is')
  if (!isAbsentOr(raw.userAgent, isText)) return misfit('userAgent is not text')
  return parseEntries<RejectedEnvelope>(raw, 'rejected', rejectedTrouble)
}

function parseList<T>(raw: unknown, name: string, troubleOf: (entry: Record<string, unknown>) => string | undefined) {
  if (!isObject(raw)) return misfit('the message is not a JSON object')
  const trouble = originTrouble(raw)
  return trouble ? misfit(trouble) : parseEntries<T>(raw, name, troubleOf)
}

function parseEntries<T>(
  raw: Record<string, unknown>,
  name: string,
  troubleOf: (entry: Record<string, unknown>) => string | undefined,
): Check<T> {
  const list = raw[name]
  if (!Array.isArray(list)) return misfit(`${name} is not a list`)
  for (const [index, entry] of list.entries()) {
    const trouble = isObject(entry) ? troubleOf(entry) : 'is not an object'
    if (trouble) return misfit(`${name}[${index}] ${trouble}`)
  }
  return { ok: true, value: raw as T }
}

function decisionTrouble(entry: Record<string, unknown>): string | undefined {
  if (!isId(entry.decisionId)) return 'has no decisionId'
  if (!isText(entry.timestamp)) return 'has no timestamp'
  for (const field of ['slotId', 'anonymousId', 'policy', 'policyVersion', 'seed'] as const)
    if (!isIdOrEmpty(entry[field])) return `has a ${field} that is not text`
  for (const field of ['userId', 'sessionId', 'pageViewId'] as const)
    if (!isAbsentOr(entry[field], isText)) return `has a ${field} that is not text`
  if (!OUTCOMES.includes(entry.outcome as Outcome)) return 'has an unknown outcome'
  if (typeof entry.holdout !== 'boolean') return 'has a holdout that is neither true nor false'
  if (!isAbsentOr(entry.attribution, isAttribution)) return 'has an attribution of another shape'
  if (!isListOf(entry.contentIds, isText)) return 'has contentIds that are no list of text'
  if (!isListOf(entry.propensities, isNumber)) return 'has propensities that are no list of numbers'
  if (!isNumber(entry.position)) return 'has no position'
  if (!isListOf(entry.candidates, isCandidate)) return 'has candidates of another shape'
  if (!isListOf(entry.excluded, isExcluded)) return 'has excluded content of another shape'
  for (const field of ['draw', 'model', 'known'] as const)
    if (!isAbsentOr(entry[field], isObject)) return `has a ${field} that is no object`
  if (!isAbsentOr(entry.campaigns, names => isListOf(names, isText))) return 'has campaigns that are no list of text'
  if (!isAbsentOr(entry.itemsAsOf, isNumber)) return 'has itemsAsOf that is no number'
  if (!isAbsentOr(entry.arms, arms => isListOf(arms, isNumber))) return 'has arms that are no list of numbers'
  for (const field of ['experiment', 'arm', 'personId'] as const)
    if (!isAbsentOr(entry[field], isText)) return `has a ${field} that is not text`
  if (!isAbsentOr(entry.armShares, shares => isListOf(shares, isNumber)))
    return 'has armShares that are no list of numbers'
  if (!isAbsentOr(entry.ghost, ids => isListOf(ids, isText))) return 'has a ghost that is no list of text'
  if (!isAbsentOr(entry.latencyMs, isNumber)) return 'has a latencyMs that is no number'
  return isObject(entry.features) ? undefined : 'has features that are no object'
}

function signalTrouble(entry: Record<string, unknown>): string | undefined {
  for (const field of ['signalId', 'signal', 'messageId'] as const)
    if (!isId(entry[field])) return `has a ${field} that is not text of 1 to 256 characters`
  for (const field of ['anonymousId', 'userId', 'sessionId'] as const)
    if (!isIdOrEmpty(entry[field])) return `has a ${field} that is not text`
  if (!isText(entry.timestamp)) return 'has no timestamp'
  if (!isAbsentOr(entry.originalTimestamp, isText)) return 'has an originalTimestamp that is not text'
  if (!isAbsentOr(entry.sentAt, isText)) return 'has a sentAt that is not text'
  return isObject(entry.details) ? undefined : 'has details that are no object'
}

function rejectedTrouble(entry: Record<string, unknown>): string | undefined {
  if (entry.messageId !== null && !isText(entry.messageId)) return 'has a messageId that is neither text nor null'
  for (const field of ['code', 'reason', 'payload'] as const)
    if (!isText(entry[field])) return `has a ${field} that is not text`
  for (const field of ['path', 'schemaVersion'] as const)
    if (!isAbsentOr(entry[field], isText)) return `has a ${field} that is not text`
  return undefined
}

function isCandidate(value: unknown): boolean {
  return isObject(value) && isText(value.contentId) && isNumber(value.score) && isNumber(value.probability)
}

function isExcluded(value: unknown): boolean {
  return isObject(value) && isText(value.contentId) && isText(value.reason) && isAbsentOr(value.detail, isText)
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number'
}

import type { Check } from '../wire/checks/check.js'
import { isObject } from '../wire/checks/is-object.js'
import { digitsOf, isMarkedNumber } from '../wire/exact-integers.js'
import { idOf } from '../wire/ids/id-of.js'
import { isMeaningful } from '../wire/ids/ids.js'
import { MAX_ITEMS, MAX_NAME_LENGTH, MAX_SLOTS, MAX_SPREAD } from '../wire/limits.js'
import { MAX_SECRET_KEYS, MAX_SECRET_LENGTH, MIN_SECRET_LENGTH } from '../wire/senders.js'
import type { SlotsRequest } from '../wire/slots.js'
import { attributionTrouble } from './attribution.js'
import {
  type Attribution,
  BOT_TREATMENTS,
  type Content,
  DEFAULT_ATTRIBUTION,
  type Policy,
  type Site,
  type Slot,
} from './catalog.js'
import { parseDuration } from './definitions/duration.js'
import { isDefinitionName } from './definitions/name.js'
import { type Enrichment, enrichmentTrouble } from './enrichment.js'
import { type Retention, retentionTrouble } from './retention.js'
import { MAX_SIGNALS, SIGNALS } from './signals.js'

/** Checks the body of `POST /v1/slots`, save the messages it carries, which are checked one by one like any other. */
export function checkSlotsRequest(raw: unknown): Check<SlotsRequest> {
  if (!isObject(raw)) return no('the body must be a JSON object')
  const asked = withTextIds(raw, ['anonymousId', 'userId'])
  for (const field of ['anonymousId', 'userId']) {
    const id = asked[field]
    if (!id) continue
    if (!isName(id)) return no(`${field} must be text of at most ${MAX_NAME_LENGTH} characters, none of them NUL`)
    if (!isMeaningful(id)) return no(`${field} ${JSON.stringify(id)} is no id: leave it out until there is one`)
  }
  if (!asked.anonymousId && !asked.userId) return no('anonymousId and userId are both missing: one is needed')
  if (raw.signature !== undefined && raw.signature !== null && typeof raw.signature !== 'string')
    return no('signature must be text: HMAC-SHA256 of userId in lower-case hex')
  if (!Array.isArray(raw.slots) || raw.slots.length === 0) return no('slots must be a list of {"id": "…"}, not empty')
  if (raw.slots.length > MAX_SLOTS) return no(`slots has ${raw.slots.length} entries, ${MAX_SLOTS} are allowed`)
  for (const [index, slot] of raw.slots.entries()) {
    if (!isObject(slot) || !isName(slot.id) || isMarkedNumber(slot.id)) return no(`slots[${index}].id must be text`)
    if (slot.count !== undefined && !isCount(slot.count))
      return no(`slots[${index}].count must be a whole number from 1 to ${MAX_ITEMS}`)
  }
  if (raw.batch !== undefined && !Array.isArray(raw.batch)) return no('batch must be a list of messages')
  if (raw.batches !== undefined && !(Array.isArray(raw.batches) && raw.batches.every(isObject)))
    return no('batches must be a list of batches')
  if (raw.context !== undefined && !isObject(raw.context)) return no('context must be an object')
  if (raw.after !== undefined && !(Number.isSafeInteger(raw.after) && (raw.after as number) >= 0))
    return no('after must be a position that an earlier answer gave')
  if (isObject(asked.context)) asked.context = withTextIds(asked.context, ['sessionId', 'pageViewId'])
  return { ok: true, value: asked as unknown as SlotsRequest }
}

/** A copy in which ids that are numbers are text, as in messages. */
function withTextIds(object: Record<string, unknown>, fields: string[]): Record<string, unknown> {
  const copy = { ...object }
  for (const field of fields) {
    const id: unknown = idOf(copy[field])
    if (typeof id === 'string') copy[field] = digitsOf(id)
  }
  return copy
}

/** Checks a slot's definition and fills in its defaults. */
export function checkSlot(raw: unknown): Check<Slot> {
  if (!isObject(raw) || !isName(raw.id)) return no('a slot needs an id')
  const policy = checkPolicy(raw.policy)
  if (!policy.ok) return policy
  const count = raw.count ?? 1
  if (!isCount(count)) return no(`count must be a whole number from 1 to ${MAX_ITEMS}`)
  const holdout = raw.holdout ?? 0
  if (!isShare(holdout)) return no('holdout must be a share from 0 to 1')
  const { maxAge } = raw
  if (maxAge !== undefined && (typeof maxAge !== 'string' || parseDuration(maxAge) === undefined))
    return no('maxAge must be a duration such as "5s" or "1m"')
  const slot: Slot = { id: raw.id, policy: policy.value, count, holdout, ...(maxAge !== undefined && { maxAge }) }
  if (raw.attribution === undefined) return { ok: true, value: slot }
  const trouble = attributionTrouble(raw.attribution)
  if (trouble) return no(trouble)
  return { ok: true, value: { ...slot, attribution: { ...DEFAULT_ATTRIBUTION, ...(raw.attribution as Attribution) } } }
}

function checkPolicy(raw: unknown): Check<Policy> {
  const policy = raw ?? { type: 'affinity' }
  if (!isObject(policy)) return no('policy must be an object with a type')
  if (policy.type === 'random') return { ok: true, value: { type: 'random' } }
  if (policy.type === 'fixed') {
    if (!Array.isArray(policy.contentIds) || !policy.contentIds.every(isName))
      return no('policy.contentIds must be a list of content ids')
    return { ok: true, value: { type: 'fixed', contentIds: policy.contentIds } }
  }
  if (policy.type !== 'affinity') return no('policy.type must be affinity, random or fixed')
  const exploration = policy.exploration ?? 0.1
  if (!isShare(exploration)) return no('policy.exploration must be a share from 0 to 1')
  return { ok: true, value: { type: 'affinity', exploration } }
}

/** Checks one content of the catalog. */
export function checkContent(raw: unknown): Check<Content> {
  if (!isObject(raw) || !isName(raw.id)) return no('a content needs an id')
  if (!Array.isArray(raw.slots) || !raw.slots.every(isName)) return no('slots must be a list of slot ids')
  const category = raw.category ?? ''
  if (typeof category !== 'string') return no('category must be text')
  const payload = raw.payload ?? {}
  if (!isObject(payload)) return no('payload must be an object')
  for (const [key, value] of Object.entries(payload))
    if (typeof value === 'object' && value !== null)
      return no(`payload.${key} must be text, a number, true, false or null`)
  for (const field of ['startsAt', 'endsAt'] as const)
    if (raw[field] !== undefined && !(typeof raw[field] === 'string' && !Number.isNaN(Date.parse(raw[field]))))
      return no(`${field} must be an ISO 8601 date with a time zone, such as "2026-11-27T09:00:00Z"`)
  const { id, slots, startsAt, endsAt } = raw as unknown as Content
  const content: Content = { id, slots, category, payload: payload as Content['payload'] }
  if (startsAt !== undefined) content.startsAt = startsAt
  if (endsAt !== undefined) content.endsAt = endsAt
  return { ok: true, value: content }
}

/** Checks a site. Its id becomes part of subjects and keys, so it is short and plain. */
export function checkSite(raw: unknown): Check<Site> {
  if (!isObject(raw)) return no('a site must be an object')
  const {
    siteId,
    name = siteId,
    writeKeys,
    secretKeyHashes,
    identitySecret,
    allowedOrigins = [],
    debug = false,
    enrichment,
    privacySignals,
    requestsPerSecond,
    retention,
    spread,
    signals,
    bots,
  } = raw
  if (typeof siteId !== 'string' || !/^[a-z0-9-]{1,64}$/.test(siteId))
    return no('siteId must be 1–64 small letters, digits or hyphens')
  if (typeof name !== 'string') return no('name must be text')
  if (!Array.isArray(writeKeys) || writeKeys.length === 0 || !writeKeys.every(isName))
    return no('writeKeys must be a list of at least one key')
  if (!Array.isArray(allowedOrigins) || !allowedOrigins.every(isName))
    return no('allowedOrigins must be a list of origins such as "https://shop.example"')
  if (typeof debug !== 'boolean') return no('debug must be true or false')
  const site: Site = { siteId, name, writeKeys, allowedOrigins, debug }
  if (secretKeyHashes !== undefined) {
    if (!isListOf(secretKeyHashes, isHash) || secretKeyHashes.length > MAX_SECRET_KEYS)
      return no(`secretKeyHashes must be a list of at most ${MAX_SECRET_KEYS} SHA-256 hashes in Base64url`)
    if (secretKeyHashes.length > 0) site.secretKeyHashes = secretKeyHashes
  }
  if (identitySecret !== undefined) {
    if (!isIdentitySecret(identitySecret))
      return no(`identitySecret must be text of ${MIN_SECRET_LENGTH} to ${MAX_SECRET_LENGTH} characters`)
    site.identitySecret = identitySecret
  }
  if (enrichment !== undefined) {
    const trouble = enrichmentTrouble(enrichment)
    if (trouble) return no(trouble)
    site.enrichment = enrichment as Partial<Enrichment>
  }
  if (privacySignals !== undefined) {
    if (privacySignals !== 'ignore' && privacySignals !== 'honour')
      return no('privacySignals must be "ignore" or "honour"')
    site.privacySignals = privacySignals
  }
  if (requestsPerSecond !== undefined) {
    if (!(typeof requestsPerSecond === 'number' && requestsPerSecond >= 1 && requestsPerSecond <= 1e6))
      return no('requestsPerSecond must be a number from 1 to 1,000,000')
    site.requestsPerSecond = requestsPerSecond
  }
  if (retention !== undefined) {
    const trouble = retentionTrouble(retention)
    if (trouble) return no(trouble)
    site.retention = retention as Retention
  }
  if (spread !== undefined) {
    if (!Array.isArray(spread) || spread.length > MAX_SPREAD || !spread.every(isName))
      return no(`spread must be a list of up to ${MAX_SPREAD} visitor ids, such as "backend"`)
    site.spread = spread
  }
  if (signals !== undefined) {
    if (!Array.isArray(signals) || signals.length > MAX_SIGNALS || !signals.every(isDefinitionName))
      return no(
        `signals must be a list of up to ${MAX_SIGNALS} names, of ${SIGNALS.join(', ')} or of patterns; an empty one for none`,
      )
    site.signals = signals
  }
  if (bots !== undefined) {
    if (!isOneOf(bots, BOT_TREATMENTS)) return no(`bots must be one of ${BOT_TREATMENTS.join(', ')}`)
    site.bots = bots
  }
  return { ok: true, value: site }
}

function isOneOf<T>(value: unknown, allowed: readonly T[]): value is T {
  return allowed.includes(value as T)
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_NAME_LENGTH && !value.includes('\0')
}

/**
 * Whether a value can be a secret key: long enough, and of printable ASCII without colons, which HTTP Basic carries as it
 * is.
 */
export function isSecretKey(value: unknown): value is string {
  return isSecret(value) && /^[\x21-\x39\x3b-\x7e]+$/.test(value)
}

/** Whether a value can be the key of a site's signatures. */
export function isIdentitySecret(value: unknown): value is string {
  return isSecret(value) && !value.includes('\0')
}

function isSecret(value: unknown): value is string {
  return typeof value === 'string' && value.length >= MIN_SECRET_LENGTH && value.length <= MAX_SECRET_LENGTH
}

function isHash(value: unknown): value is string {
  return typeof value === 'string' && /^[\w-]{43}$/.test(value)
}

function isListOf<T>(value: unknown, isEntry: (entry: unknown) => entry is T): value is T[] {
  return Array.isArray(value) && value.every(isEntry)
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_ITEMS
}

function isShare(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 1
}

function no(reason: string): { ok: false; reason: string } {
  return { ok: false, reason }
}

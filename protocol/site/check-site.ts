import type { Check } from '../wire/checks/check.js'
import { isObject } from '../wire/checks/is-object.js'
import { isId, isListOf, misfit as no } from '../wire/checks/parse-stored.js'
import { MAX_SPREAD } from '../wire/limits.js'
import { MAX_SECRET_KEYS, MAX_SECRET_LENGTH, MIN_SECRET_LENGTH } from '../wire/senders.js'
import { BOT_TREATMENTS, type Site } from './catalog.js'
import { isDefinitionName } from './definitions/name.js'
import { type Enrichment, enrichmentTrouble } from './enrichment.js'
import { isSiteHoldout } from './experiments/site-holdout.js'
import { type Retention, retentionTrouble } from './retention.js'
import { MAX_SIGNALS, SIGNALS } from './signals.js'

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
    holdout,
  } = raw
  if (typeof siteId !== 'string' || !/^[a-z0-9-]{1,64}$/.test(siteId))
    return no('siteId must be 1–64 small letters, digits or hyphens')
  if (typeof name !== 'string') return no('name must be text')
  if (!Array.isArray(writeKeys) || writeKeys.length === 0 || !writeKeys.every(isId))
    return no('writeKeys must be a list of at least one key')
  if (!Array.isArray(allowedOrigins) || !allowedOrigins.every(isId))
    return no('allowedOrigins must be a list of origins such as "https://shop.example"')
  if (typeof debug !== 'boolean') return no('debug must be true or false')
  const site: Site = { siteId, name, writeKeys, allowedOrigins, debug }
  if (secretKeyHashes !== undefined) {
    if (!isListOf(secretKeyHashes, isHash) || secretKeyHashes.length > MAX_SECRET_KEYS)
      return no(`secretKeyHashes must be a list of at most ${MAX_SECRET_KEYS} SHA-256 hashes in Base64url`)
    if (secretKeyHashes.length > 0) site.secretKeyHashes = secretKeyHashes as string[]
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
    if (!Array.isArray(spread) || spread.length > MAX_SPREAD || !spread.every(isId))
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
  if (holdout !== undefined) {
    if (!isSiteHoldout(holdout))
      return no('holdout must be {"share": S, "tag": T}: a share from 0 to 1, and a name of letters, digits, _ and -')
    site.holdout = holdout
  }
  return { ok: true, value: site }
}

function isOneOf<T>(value: unknown, allowed: readonly T[]): value is T {
  return allowed.includes(value as T)
}

/**
 * Tells whether a value can be a secret key: long enough, and of printable ASCII without colons, which HTTP Basic
 * carries as it is.
 */
export function isSecretKey(value: unknown): value is string {
  return isSecret(value) && /^[\x21-\x39\x3b-\x7e]+$/.test(value)
}

/** Tells whether a value can be the key of a site's signatures. */
export function isIdentitySecret(value: unknown): value is string {
  return isSecret(value) && !value.includes('\0')
}

function isSecret(value: unknown): value is string {
  return typeof value === 'string' && value.length >= MIN_SECRET_LENGTH && value.length <= MAX_SECRET_LENGTH
}

function isHash(value: unknown): value is string {
  return typeof value === 'string' && /^[\w-]{43}$/.test(value)
}

import type { Check } from '../wire/checks/check.js'
import { isObject } from '../wire/checks/is-object.js'
import { isAbsentOr, isId, isListOf, isSiteId, isText, misfit } from '../wire/checks/parse-stored.js'
import type { Site } from './catalog.js'
import { enrichmentTrouble } from './enrichment.js'
import { isSiteHoldout } from './experiments/site-holdout.js'
import { retentionTrouble } from './retention.js'

/**
 * Parses a site as the bucket has it. What a site may be set to is `checkSite`'s to say, when it is set; here only what
 * readers rely on is checked, and fields that this version doesn't know stay.
 */
export function parseSite(raw: unknown): Check<Site> {
  if (!isObject(raw)) return misfit('a site must be a JSON object')
  const { siteId, name, writeKeys, allowedOrigins, debug, enrichment, requestsPerSecond, retention, spread } = raw
  if (!isSiteId(siteId)) return misfit('siteId is not a site’s id')
  if (!isListOf(writeKeys, isId)) return misfit('writeKeys is not a list of keys')
  if (!isAbsentOr(allowedOrigins, list => isListOf(list, isText))) return misfit('allowedOrigins is not a list of text')
  if (!isAbsentOr(raw.secretKeyHashes, list => isListOf(list, isText)))
    return misfit('secretKeyHashes is not a list of text')
  if (!isAbsentOr(raw.identitySecret, isText)) return misfit('identitySecret is not text')
  if (!isAbsentOr(name, isText)) return misfit('name is not text')
  if (!isAbsentOr(debug, value => typeof value === 'boolean')) return misfit('debug is neither true nor false')
  if (!isAbsentOr(requestsPerSecond, isRate)) return misfit('requestsPerSecond is not a number above 0')
  if (!isAbsentOr(spread, list => isListOf(list, isText))) return misfit('spread is not a list of text')
  if (!isAbsentOr(raw.signals, list => isListOf(list, isText))) return misfit('signals is not a list of text')
  if (!isAbsentOr(raw.bots, isText)) return misfit('bots is not text')
  if (!isAbsentOr(raw.holdout, isSiteHoldout)) return misfit('holdout says not who is held out')
  const trouble =
    (enrichment === undefined ? undefined : enrichmentTrouble(enrichment)) ??
    (retention === undefined ? undefined : retentionTrouble(retention))
  if (trouble) return misfit(trouble)
  // Without origins no page may use the site's keys: nothing is opened by a field that is missing.
  return {
    ok: true,
    value: { ...raw, name: name ?? siteId, allowedOrigins: allowedOrigins ?? [], debug: debug ?? false } as Site,
  }
}

function isRate(value: unknown): boolean {
  return typeof value === 'number' && value > 0
}

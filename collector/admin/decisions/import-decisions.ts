import {
  attributionTrouble,
  type Candidate,
  type Check,
  type DecisionEnvelope,
  type DecisionRecord,
  EARLIEST_TIMESTAMP,
  isAttribution,
  isObject,
  type JsonObject,
  MAX_FUTURE_MS,
  MAX_ITEMS,
  MAX_MESSAGE_BYTES,
  MAX_NAME_LENGTH,
  OUTCOMES,
  type Outcome,
  parseTime,
  visitorIdOf,
} from '@slotstream/protocol'
import { DELETED_REASON } from '../../intake/accept/forgotten.js'

/** Highest position on a page: with a list behind it, it fits into the 16 bits that tables have for it. */
const MAX_POSITION = 65_000

/**
 * Features by which a decision that was made here is drawn again and explained. ClickHouse takes `draw.x` for a field
 * of `draw`.
 */
const OWN_FEATURES = ['draw', 'missed', 'model', 'known']

/** The outcome of an import of decisions from another system's log. */
export interface Import {
  envelopes: DecisionEnvelope[]
  imported: number
  rejected: { decisionId: string | null; index: number; reason: string }[]
}

/**
 * Checks decisions of another system one by one, fills in what such logs don't have, and groups them by visitor.
 * Their times are kept: they are history.
 *
 * @param now milliseconds since the epoch
 * @param isForgotten tells whether a decision is from before the deletion of its person. Default: none was deleted
 */
export function importDecisions(
  raw: unknown[],
  siteId: string,
  now: number,
  isForgotten: (decision: DecisionRecord) => boolean = () => false,
): Import {
  const rejected: Import['rejected'] = []
  const visitors = new Map<string, DecisionRecord[]>()
  for (const [index, entry] of raw.entries()) {
    const imported = checkImported(entry, now)
    const checked = imported.ok && isForgotten(imported.value) ? no(DELETED_REASON) : imported
    if (!checked.ok) {
      const decisionId = isObject(entry) && isName(entry.decisionId) ? entry.decisionId : null
      rejected.push({ decisionId, index, reason: checked.reason })
      continue
    }
    const visitorId = visitorIdOf(checked.value)
    const records = visitors.get(visitorId)
    if (records) records.push(checked.value)
    else visitors.set(visitorId, [checked.value])
  }
  const receivedAt = new Date(now).toISOString()
  return {
    envelopes: [...visitors].map(([visitorId, decisions]) => ({ siteId, visitorId, receivedAt, decisions })),
    imported: raw.length - rejected.length,
    rejected,
  }
}

/** Checks one decision of another system's log and fills in its defaults. */
export function checkImported(raw: unknown, now: number): Check<DecisionRecord> {
  if (!isObject(raw)) return no('a decision must be a JSON object')
  if (!isSmall(raw)) return no(`the decision is larger than ${MAX_MESSAGE_BYTES / 1024} KB or nested too deeply`)
  const { decisionId, slotId, anonymousId = '', timestamp } = raw
  const { contentIds = [], propensities = [], position = 1, candidates = [], excluded = [], features = {} } = raw
  const { policy = 'imported', policyVersion = '0', outcome = 'served', seed = '' } = raw
  if (!isName(decisionId)) return no('decisionId is missing: it must be the same each time the decision is imported')
  if (!isName(slotId)) return no('slotId is missing or not text')
  if (anonymousId !== '' && !isName(anonymousId)) return no('anonymousId must be text')
  for (const field of ['userId', 'sessionId', 'pageViewId'] as const)
    if (raw[field] !== undefined && !isName(raw[field])) return no(`${field} must be text`)
  if (!anonymousId && !raw.userId) return no('anonymousId and userId are both missing: one is needed')

  const time = typeof timestamp === 'string' ? parseTime(timestamp) : undefined
  if (time === undefined) return no('timestamp is missing or not an ISO 8601 date')
  if (time < EARLIEST_TIMESTAMP || time > now + MAX_FUTURE_MS)
    return no('timestamp is before the year 2000 or in the future')

  if (!isList(contentIds, isName) || contentIds.length > MAX_ITEMS)
    return no(`contentIds must be a list of at most ${MAX_ITEMS} content ids`)
  if (!isList(propensities, isShare)) return no('propensities must be a list of probabilities from 0 to 1')
  if (propensities.length !== 0 && propensities.length !== contentIds.length)
    return no('propensities must have one entry for each of contentIds, or none')
  if (!Number.isSafeInteger(position) || (position as number) < 1 || (position as number) > MAX_POSITION)
    return no(`position must be a whole number from 1 to ${MAX_POSITION}`)
  if (!isList(candidates, isCandidate)) return no('candidates must be a list of {contentId, score, probability}')
  if (!isList(excluded, isExcluded)) return no('excluded must be a list of {contentId, reason}')
  if (!isObject(features)) return no('features must be an object')
  const reserved = Object.keys(features).find(name => OWN_FEATURES.includes(name.split('.')[0]!))
  if (reserved !== undefined)
    return no(`features.${reserved} is for decisions that were made here: give it another name`)
  if (!isName(policy) || !isName(policyVersion)) return no('policy and policyVersion must be text')
  if (!OUTCOMES.includes(outcome as Outcome)) return no(`outcome must be one of ${OUTCOMES.join(', ')}`)
  const { holdout = outcome === 'holdout' } = raw
  if (typeof holdout !== 'boolean') return no('holdout must be true or false')
  if (typeof seed !== 'string') return no('seed must be text')
  if (raw.attribution !== undefined && !isAttribution(raw.attribution))
    return no(attributionTrouble(raw.attribution) ?? 'attribution needs rule and windowHours')

  const value: DecisionRecord = {
    decisionId,
    timestamp: new Date(time).toISOString(),
    slotId,
    anonymousId,
    policy,
    policyVersion,
    outcome: outcome as Outcome,
    holdout,
    contentIds,
    propensities,
    position: position as number,
    candidates,
    excluded,
    features: features as JsonObject,
    seed,
  }
  const { userId, sessionId, pageViewId, attribution } = raw as Partial<DecisionRecord>
  return {
    ok: true,
    value: {
      ...value,
      ...(userId ? { userId } : {}),
      ...(sessionId ? { sessionId } : {}),
      ...(pageViewId ? { pageViewId } : {}),
      ...(attribution ? { attribution } : {}),
    },
  }
}

function isSmall(raw: object): boolean {
  try {
    return Buffer.byteLength(JSON.stringify(raw)) <= MAX_MESSAGE_BYTES
  } catch {
    return false
  }
}

function isCandidate(raw: unknown): raw is Candidate {
  return isObject(raw) && isName(raw.contentId) && Number.isFinite(raw.score) && isShare(raw.probability)
}

function isExcluded(raw: unknown): raw is { contentId: string; reason: string } {
  return isObject(raw) && isName(raw.contentId) && typeof raw.reason === 'string'
}

function isList<T>(raw: unknown, isEntry: (entry: unknown) => entry is T): raw is T[] {
  return Array.isArray(raw) && raw.every(isEntry)
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_NAME_LENGTH && !value.includes('\0')
}

function isShare(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 1
}

function no(reason: string): { ok: false; reason: string } {
  return { ok: false, reason }
}

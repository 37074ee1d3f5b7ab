import type { Check } from '../../wire/checks/check.js'
import { isObject } from '../../wire/checks/is-object.js'
import {
  isAbsentOr,
  isCount,
  isId,
  isIdOrEmpty,
  isListOf,
  isSiteId,
  isText,
  isVisitorId,
  misfit,
} from '../../wire/checks/parse-stored.js'
import { isTime } from '../envelopes/parse-event-envelope.js'
import { isEarning, isKeptDecision } from '../learning/parse-kept.js'
import { isLinks } from './identity.js'
import { isFeatureStates } from './parse-feature-states.js'
import { parsePatternStates } from './pattern-states.js'
import type { Profile } from './profile.js'
import { isMembers } from './segment-news.js'

/** Deepest nesting of traits in a stored profile: more than a message may have. */
const MAX_STORED_DEPTH = 32

function isTraitsByUser(value: unknown): boolean {
  return (
    isObject(value) && Object.values(value).every(traits => isObject(traits) && isShallow(traits, MAX_STORED_DEPTH))
  )
}

function isTraitTimes(value: unknown): boolean {
  return isListOf(value, Number.isFinite)
}

/** Parses a profile as a bucket has it. It is given back as it was read, so that its text stays the same. */
export function parseProfile(raw: unknown): Check<Profile> {
  if (!isObject(raw)) return misfit('a profile must be a JSON object')
  if (!isSiteId(raw.siteId)) return misfit('siteId is not a site’s id')
  if (!isVisitorId(raw.visitorId)) return misfit('visitorId is missing or no text')
  if (!isIdOrEmpty(raw.anonymousId)) return misfit('anonymousId is not text')
  if (!isIdOrEmpty(raw.userId)) return misfit('userId is not text')
  for (const field of ['firstSeen', 'lastSeen', 'affinitiesAt'] as const)
    if (!isTime(raw[field])) return misfit(`${field} is not a time`)
  for (const field of ['sessions', 'events', 'seq'] as const)
    if (!isCount(raw[field])) return misfit(`${field} is not a whole number from 0`)
  if (raw.session !== null && !isSession(raw.session)) return misfit('session is of another shape')
  if (!isObject(raw.affinities) || !Object.values(raw.affinities).every(Number.isFinite))
    return misfit('affinities are no numbers by category')
  if (!isObject(raw.traits) || !isShallow(raw.traits, MAX_STORED_DEPTH))
    return misfit(`traits are no object, or nested deeper than ${MAX_STORED_DEPTH} levels`)
  if (!isAbsentOr(raw.traitsByUser, isTraitsByUser)) return misfit('traitsByUser is of another shape')
  if (!isAbsentOr(raw.userAt, Number.isFinite)) return misfit('userAt is not a time')
  if (!isAbsentOr(raw.traitTimes, isTraitTimes)) return misfit('traitTimes is of another shape')
  if (!isAbsentOr(raw.traitTimesByUser, byUser => isObject(byUser) && Object.values(byUser).every(isTraitTimes)))
    return misfit('traitTimesByUser is of another shape')
  if (!isListOf(raw.segments, isText)) return misfit('segments is not a list of text')
  if (!isListOf(raw.recent, isCount)) return misfit('recent is not a list of hashes')
  if (!isAbsentOr(raw.heard, list => isListOf(list, isCount))) return misfit('heard is not a list of hashes')
  if (!isAbsentOr(raw.signalMemory, isSignalMemory)) return misfit('signalMemory is of another shape')
  if (!isAbsentOr(raw.lastReceived, isTime)) return misfit('lastReceived is not a time')
  if (!isAbsentOr(raw.features, isFeatureStates)) return misfit('features is of another shape')
  if (!isAbsentOr(raw.recentSignals, isSignals)) return misfit('recentSignals is of another shape')
  if (!isAbsentOr(raw.featuresByUser, isFeaturesByUser)) return misfit('featuresByUser is of another shape')
  if (!isAbsentOr(raw.members, isMembers)) return misfit('members are of another shape')
  if (!isAbsentOr(raw.links, isLinks)) return misfit('links are of another shape')
  if (!isAbsentOr(raw.decisions, list => isListOf(list, isKeptDecision)))
    return misfit('decisions are of another shape')
  if (!isAbsentOr(raw.earnings, list => isListOf(list, isEarning))) return misfit('earnings are of another shape')
  if (!isAbsentOr(raw.stopped, list => isListOf(list, isId))) return misfit('stopped is not a list of ids')
  if (!isAbsentOr(raw.shown, list => isListOf(list, isShown))) return misfit('shown is no content by event and time')
  if (!isAbsentOr(raw.endings, list => isListOf(list, isEnding)))
    return misfit('endings are no events by user and time')
  if (!isAbsentOr(raw.arrivals, list => isListOf(list, isArrival)))
    return misfit('arrivals are no counts by day and session')
  if (!isAbsentOr(raw.taught, list => isListOf(list, isTaught))) return misfit('taught are no outcomes by slot and day')
  const patterns = raw.patterns === undefined ? undefined : parsePatternStates(raw.patterns)
  if (patterns && !patterns.ok) return patterns
  return { ok: true, value: raw as unknown as Profile }
}

function isSignals(value: unknown): boolean {
  return isListOf(
    value,
    signal => Array.isArray(signal) && isText(signal[0]) && Number.isFinite(signal[1]) && isAbsentOr(signal[2], isText),
  )
}

function isTaught(value: unknown): boolean {
  return Array.isArray(value) && isId(value[0]) && isCount(value[1]) && isCount(value[2]) && value.length === 3
}

function isShown(value: unknown): boolean {
  return Array.isArray(value) && value.length === 3 && isId(value[0]) && isId(value[1]) && Number.isFinite(value[2])
}

function isEnding(value: unknown): boolean {
  return Array.isArray(value) && value.length === 3 && isId(value[0]) && isText(value[1]) && Number.isFinite(value[2])
}

function isArrival(value: unknown): boolean {
  return Array.isArray(value) && value.length === 5 && value.every(isCount)
}

function isFeaturesByUser(value: unknown): boolean {
  return isObject(value) && Object.values(value).every(isFeatureStates)
}

function isSession(value: unknown): boolean {
  return isObject(value) && isId(value.id) && isTime(value.startedAt) && isTime(value.lastAt)
}

function isSignalMemory(value: unknown): boolean {
  if (!isObject(value)) return false
  const { interest_shift, session_anomaly, repeated_view } = value
  return (
    isAbsentOr(interest_shift, memory => isText(memory) || isInterestMemory(memory)) &&
    isAbsentOr(session_anomaly, isAnomalyMemory) &&
    isAbsentOr(repeated_view, list => isListOf(list, pair => isListOf(pair, isCount) && pair.length === 2))
  )
}

function isInterestMemory(value: unknown): boolean {
  if (!isObject(value)) return false
  const { leading, passed, base, at, recent } = value
  return (
    isAbsentOr(leading, isText) &&
    isAbsentOr(passed, isText) &&
    isObject(base) &&
    Object.values(base).every(Number.isFinite) &&
    Number.isFinite(at) &&
    isListOf(recent, isRecentInterest)
  )
}

function isRecentInterest(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 4) return false
  const [at, categories, product, messages] = value
  return [at, product, messages].every(Number.isFinite) && isListOf(categories, isText)
}

function isAnomalyMemory(value: unknown): boolean {
  return isObject(value) && Number.isFinite(value.since) && isCount(value.messages) && isCount(value.pageViews)
}

function isShallow(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (levels === 0) return false
  return Object.values(value).every(child => isShallow(child, levels - 1))
}

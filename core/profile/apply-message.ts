import {
  type EventEnvelope,
  type IdentityChange,
  idsOfVisitor,
  isoTime,
  type Profile,
  type StoredMessage,
} from '@slotstream/protocol'
import type { Features } from '../features/feature.js'
import { addInterests } from './affinities.js'
import { interestsOf } from './interests.js'
import { sessionAfter, sessionIdOf, timeOf } from './sessions.js'
import { traitFieldsAfter } from './traits/traits.js'

/** A message with what is found out about it once. */
export interface ReadMessage {
  message: StoredMessage
  /** Its time, in milliseconds since the epoch. */
  at: number
  /** See `interestsOf`. */
  interests: readonly [category: string, weight: number][]
}

/**
 * Reads a message.
 *
 * @param features of the site, see `interestsOf`. Default: built-in ones
 * @throws when it has no usable time
 */
export function readMessage(message: StoredMessage, features?: Features): ReadMessage {
  const at = timeOf(message.timestamp)
  if (Number.isNaN(at)) throw new Error('the message has no usable timestamp')
  return { message, at, interests: interestsOf(message, features) }
}

/** Returns the profile after one message, however often it is called: `seq` and `recent` are not read. */
export function applyMessage(
  before: Profile | undefined,
  message: StoredMessage,
  envelope: Pick<EventEnvelope, 'siteId' | 'visitorId' | 'sender'>,
): Profile {
  return takeMessage(before && { ...before }, readMessage(message), envelope)
}

/**
 * Returns the profile after one message, as `applyMessage`. Changes `before`, which nothing else may hold: to copy it
 * for each message of an envelope takes longer than what is changed.
 *
 * @param onRefused is called when the message's traits would make the profile too large, and are left out
 */
export function takeMessage(
  before: Profile | undefined,
  { message, at, interests }: ReadMessage,
  { siteId, visitorId, sender }: Pick<EventEnvelope, 'siteId' | 'visitorId' | 'sender'>,
  onRefused: () => void = () => {},
): Profile {
  const time = isoTime(at)
  const profile = before ?? newProfile(siteId, visitorId, time)
  const { session: running, lastSeen } = profile
  // A claim says nothing of the browser's own person, and no more of the one that it names.
  const traits = sender === 'unsigned' ? profile : traitFieldsAfter(profile, message)
  profile.anonymousId ||= message.anonymousId ?? ''
  const userId = sender === 'unsigned' ? '' : message.userId
  if (userId && at >= (profile.userAt ?? (profile.userId ? timeOf(lastSeen) : at))) {
    profile.userId = userId
    profile.userAt = at
  }
  if (time < profile.firstSeen) profile.firstSeen = time
  if (time >= lastSeen) profile.lastSeen = time
  const session = sessionAfter(running, at, sessionIdOf(message), siteId, visitorId)
  if (session.id !== running?.id) profile.sessions++
  profile.session = session
  profile.events++
  if (!traits) onRefused()
  else if (traits !== profile) Object.assign(profile, traits)
  if (interests.length > 0) {
    const added = addInterests({ values: profile.affinities, at: timeOf(profile.affinitiesAt) }, interests, at)
    profile.affinities = added.values
    profile.affinitiesAt = isoTime(added.at)
  }
  return profile
}

/**
 * Creates the profile of a visitor of whom nothing is known yet but the key, and so the id. Fields that the first
 * message sets have their place already: the engine takes several times as long to add fields to a copy. JSON leaves
 * them out until then.
 */
export function newProfile(siteId: string, visitorId: string, time: string): Profile {
  const { anonymousId, userId } = idsOfVisitor(visitorId)
  const profile: { [Field in keyof Profile]: Profile[Field] | undefined } = {
    siteId,
    visitorId,
    anonymousId,
    userId,
    userAt: undefined,
    firstSeen: time,
    lastSeen: time,
    sessions: 0,
    session: null,
    events: 0,
    affinities: {},
    affinitiesAt: time,
    traits: {},
    segments: [],
    seq: 0,
    recent: [],
    signalMemory: {},
    features: undefined,
    patterns: undefined,
    lastReceived: undefined,
  }
  return profile as Profile
}

/** Makes a profile where a visitor is told of of whom no message came yet: by another partition, or by a decision. */
export function profileOfTold({ siteId, visitorId, identity, served }: EventEnvelope): Profile | undefined {
  const change = identity?.[0]
  if (change) return profileOfLink(siteId, visitorId, change)
  const decision = served?.[0]
  return decision && newProfile(siteId, visitorId, isoTime(decision.at))
}

/** Returns a profile with the id of its visitor: what was made of a decision alone was stored without. */
export function withIds(profile: Profile): Profile {
  const ids = idsOfVisitor(profile.visitorId)
  const anonymousId = profile.anonymousId || ids.anonymousId
  const userId = profile.userId || ids.userId
  return anonymousId === profile.anonymousId && userId === profile.userId
    ? profile
    : { ...profile, anonymousId, userId }
}

/** Makes the profile of a visitor of whom nothing is known but a link. */
export function profileOfLink(siteId: string, visitorId: string, change: IdentityChange): Profile {
  return newProfile(siteId, visitorId, isoTime(change.link?.firstAt ?? change.decision?.at ?? 0))
}

import {
  type EventEnvelope,
  type IdentityChange,
  idsOfVisitor,
  isoTime,
  type Profile,
  type StoredMessage,
  visitorText,
} from '@slotstream/protocol'
import type { Features } from '../features/feature.js'
import { addInterests } from './affinities.js'
import { interestsOf } from './interests.js'
import { sessionAfter, sessionIdOf, timeOf } from './sessions.js'
import { traitFieldsAfter } from './traits/traits.js'

/**
 * Returns the profile after one message, however often it is called: `seq` and `recent` are not read.
 *
 * @param onRefused is called when the message's traits would make the profile too large, and are left out
 * @param features of the site, see `interestsOf`. Default: built-in ones
 */
export function applyMessage(
  before: Profile | undefined,
  message: StoredMessage,
  { siteId, visitorId, sender }: Pick<EventEnvelope, 'siteId' | 'visitorId' | 'sender'>,
  onRefused: () => void = () => {},
  features?: Features,
): Profile {
  const at = timeOf(message.timestamp)
  if (Number.isNaN(at)) throw new Error('the message has no usable timestamp')
  const time = isoTime(at)
  const profile = before ?? newProfile(siteId, visitorId, time)
  const late = time < profile.lastSeen
  const earliest = time < profile.firstSeen
  const session = sessionAfter(profile.session, at, sessionIdOf(message), visitorText(siteId, visitorId))
  // Assigned after the copy: in one literal with it, the engine takes several times as long.
  const next: Profile = before ? { ...before } : profile
  next.anonymousId = profile.anonymousId || (message.anonymousId ?? '')
  const userId = sender === 'unsigned' ? '' : message.userId
  if (userId && at >= (profile.userAt ?? (profile.userId ? timeOf(profile.lastSeen) : at))) {
    next.userId = userId
    next.userAt = at
  }
  if (earliest) next.firstSeen = time
  if (!late) next.lastSeen = time
  if (session.id !== profile.session?.id) next.sessions = profile.sessions + 1
  next.session = session
  next.events = profile.events + 1
  // A claim says nothing of the browser's own person, and no more of the one that it names.
  const changed = sender === 'unsigned' ? profile : traitFieldsAfter(profile, message)
  if (!changed) onRefused()
  else if (changed !== profile) Object.assign(next, changed)
  const interests = interestsOf(message, features)
  if (interests.length > 0) {
    const added = addInterests({ values: profile.affinities, at: timeOf(profile.affinitiesAt) }, interests, at)
    next.affinities = added.values
    next.affinitiesAt = isoTime(added.at)
  }
  return next
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

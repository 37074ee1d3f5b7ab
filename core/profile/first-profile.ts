import { type EventEnvelope, type IdentityChange, isoTime, isPersonKey, type Profile } from '@slotstream/protocol'
import { newProfile } from './apply-message.js'

/** Makes a profile where a visitor is told of of whom no message came yet: by another partition, or by a decision. */
export function profileOfTold({ siteId, visitorId, identity, served }: EventEnvelope): Profile | undefined {
  const change = identity?.[0]
  if (change) return profileOfLink(siteId, visitorId, change)
  const decision = served?.[0]
  return decision && newProfile(siteId, visitorId, isoTime(decision.at))
}

/** Makes the profile of a visitor of whom nothing is known but a link. */
export function profileOfLink(siteId: string, visitorId: string, change: IdentityChange): Profile {
  const { userId, anonymousId, link, decision } = change
  const profile = newProfile(siteId, visitorId, isoTime(link?.firstAt ?? decision?.at ?? 0))
  return isPersonKey(visitorId) ? { ...profile, userId } : { ...profile, anonymousId }
}

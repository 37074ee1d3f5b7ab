import {
  hash32,
  isPersonKey,
  memoryOf,
  type Profile,
  type RejectedMessage,
  type StoredMessage,
} from '@slotstream/protocol'
import { userOfBrowser } from '../../identity/person.js'
import { MAX_USERS_APART } from '../features/ladder.js'
import { partBytes } from '../profile-size.js'
import { timeOf } from '../sessions.js'
import { noTraits, ownOf, setTraits, type TraitSet, traitSet } from './trait-set.js'

/**
 * Bytes that a profile's traits take in memory at most, as `memoryOf` counts them: ten times what a hundred usual
 * traits take. A message whose traits would exceed it leaves them as they are.
 */
export const MAX_PROFILE_TRAITS_BYTES = 64 * 1024

/** Longest payload of a rejected message, in characters. */
const MAX_PAYLOAD = 32 * 1024

/** Fields of a profile that hold its traits. */
type TraitFields = Pick<Profile, 'traits' | 'traitTimes' | 'traitsByUser' | 'traitTimesByUser'>

/**
 * Returns the traits of a profile after a message, and of a browser by user as well; undefined when those of the
 * browser, or of the user, would be too large. A message that makes traits smaller that were stored before there was a
 * bound is taken.
 */
export function traitFieldsAfter(profile: Profile, message: StoredMessage): TraitFields | undefined {
  if (message.type !== 'identify' || !message.traits) return profile
  const ofAll = traitsAfter(traitSet(profile.traits, profile.traitTimes, timeOf(profile.lastSeen)), message)
  if (!ofAll) return undefined
  const fields = { traits: ofAll.traits, traitTimes: [...ofAll.times] }
  if (isPersonKey(profile.visitorId)) return fields
  const byUser = setsByUser(profile)
  const { userId = '' } = message
  const before = byUser.get(userId)
  const ofUser = traitsAfter(before ?? noTraits(), message)
  if (!ofUser) return undefined
  // One whose message sets nothing is no user without room.
  const isIn = before ? !isLeftOut(userId, before) : ofUser.times.length > 0
  if (isIn) byUser.set(userId, ofUser)
  return { ...fields, ...traitsApart(byUser) }
}

function traitsAfter(before: TraitSet, { traits, timestamp }: StoredMessage): TraitSet | undefined {
  const after = setTraits(before, traits!, timeOf(timestamp))
  const bytes = partBytes(after.traits)
  return bytes <= MAX_PROFILE_TRAITS_BYTES || bytes <= partBytes(before.traits) ? after : undefined
}

/** Returns the traits of a browser by user. Those that were stored before they were told apart are of its user then. */
function setsByUser(profile: Profile): Map<string, TraitSet> {
  const { traits, traitTimes, traitTimesByUser = {} } = profile
  const lastSeen = timeOf(profile.lastSeen)
  if (!profile.traitsByUser)
    return Object.keys(traits).length > 0
      ? new Map([[userOfBrowser(profile), traitSet(traits, traitTimes, lastSeen)]])
      : new Map()
  const byUser = new Map<string, TraitSet>()
  for (const user of new Set([...Object.keys(profile.traitsByUser), ...Object.keys(traitTimesByUser)]))
    byUser.set(user, traitSet(ownOf(profile.traitsByUser, user) ?? {}, ownOf(traitTimesByUser, user), lastSeen))
  return byUser
}

/** Returns whether a user is the first of those for whom there was no room: nothing is known of their traits. */
function isLeftOut(user: string, { times }: TraitSet): boolean {
  return user !== '' && times.length === 0
}

/**
 * Returns the traits of the users who are told apart: of those with the smallest hashes as many as there is room for.
 * Those of others are in the browser's own traits alone. The first user for whom there was none stays, without traits:
 * so those after it, whose earlier traits are gone, are not told apart again, in whatever order they come.
 */
function traitsApart(byUser: ReadonlyMap<string, TraitSet>): Pick<TraitFields, 'traitsByUser' | 'traitTimesByUser'> {
  const traits = new Map<string, Profile['traits']>()
  const times = new Map<string, number[]>()
  let bytes = memoryOf({})
  const put = (user: string, set: TraitSet) => {
    traits.set(user, set.traits)
    times.set(user, [...set.times])
  }
  const ofNone = byUser.get('')
  if (ofNone) put('', ofNone)
  if (ofNone) bytes += entryBytes('', ofNone)
  const users = [...byUser.keys()].filter(user => user !== '').sort((a, b) => hash32(a) - hash32(b))
  for (const user of users.slice(0, MAX_USERS_APART)) {
    const set = byUser.get(user)!
    bytes += entryBytes(user, set)
    const isIn = !isLeftOut(user, set) && bytes <= MAX_PROFILE_TRAITS_BYTES
    put(user, isIn ? set : noTraits())
    if (!isIn) break
  }
  return { traitsByUser: Object.fromEntries(traits), traitTimesByUser: Object.fromEntries(times) }
}

function entryBytes(user: string, { traits, times }: TraitSet): number {
  return memoryOf({ [user]: true }) - memoryOf({}) + partBytes(traits) + partBytes(times)
}

/** Returns the record of a message whose traits a profile did not take. A replay of the stream makes the same one. */
export function refusedTraits(message: StoredMessage): RejectedMessage {
  return {
    messageId: message.messageId,
    code: 'profile_too_large',
    reason:
      `with these traits the visitor's profile would have more than ${MAX_PROFILE_TRAITS_BYTES / 1024} KB of them in ` +
      'memory: the message is stored as an event, its traits are not in the profile. Send fewer or smaller ones',
    path: '$.traits',
    payload: JSON.stringify(message).slice(0, MAX_PAYLOAD),
  }
}

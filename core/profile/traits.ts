import {
  hash32,
  isPersonKey,
  memoryOf,
  type Profile,
  type RejectedMessage,
  type StoredMessage,
} from '@slotstream/protocol'
import { userOfBrowser } from '../identity/person.js'
import { MAX_USERS_APART } from './features/ladder.js'
import { partBytes } from './profile-size.js'

/** Most traits a profile keeps; further names are ignored. */
export const MAX_TRAITS = 100

/** Longest trait, in characters of its name and JSON text; longer ones are ignored. */
export const MAX_TRAIT_LENGTH = 1_000

/**
 * Bytes that a profile's traits take in memory at most, as `memoryOf` counts them: ten times what a hundred usual
 * traits take. A message whose traits would exceed it leaves them as they are.
 */
export const MAX_PROFILE_TRAITS_BYTES = 64 * 1024

/** Longest payload of a rejected message, in characters. */
const MAX_PAYLOAD = 32 * 1024

const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype'])

/** Returns `earlier` with the traits of `newer` put over it. A trait that is set to null is removed. */
export function mergeTraits(earlier: Record<string, unknown>, newer: Record<string, unknown>): Record<string, unknown> {
  const merged = new Map(Object.entries(earlier))
  for (const [name, value] of Object.entries(newer)) {
    if (FORBIDDEN.has(name)) continue
    if (value === null) merged.delete(name)
    else if (merged.size < MAX_TRAITS || merged.has(name))
      if (name.length + JSON.stringify(value).length <= MAX_TRAIT_LENGTH) merged.set(name, value)
  }
  return Object.fromEntries(merged)
}

/**
 * Returns a profile's traits after a message; undefined when they would be too large. A message that makes traits
 * smaller that were stored before there was a bound is taken.
 *
 * @param late whether the message is older than the profile: then it adds only what is missing
 */
export function traitsAfter(
  earlier: Profile['traits'],
  message: StoredMessage,
  late: boolean,
): Profile['traits'] | undefined {
  if (message.type !== 'identify' || !message.traits) return earlier
  const merged = mergeTraits(earlier, late ? without(message.traits, earlier) : message.traits)
  const bytes = partBytes(merged)
  return bytes <= MAX_PROFILE_TRAITS_BYTES || bytes <= partBytes(earlier) ? merged : undefined
}

/**
 * Returns the traits of a profile after a message, and of a browser by user as well; undefined when those of the
 * browser, or of the user, would be too large: see `traitsAfter`.
 */
export function traitFieldsAfter(
  profile: Profile,
  message: StoredMessage,
  late: boolean,
): Pick<Profile, 'traits' | 'traitsByUser'> | undefined {
  if (message.type !== 'identify' || !message.traits) return profile
  const traits = traitsAfter(profile.traits, message, late)
  if (!traits || isPersonKey(profile.visitorId)) return traits && { traits }
  const hasOlder = Object.keys(profile.traits).length > 0
  const before = profile.traitsByUser ?? (hasOlder ? { [userOfBrowser(profile)]: profile.traits } : {})
  const byUser = new Map(Object.entries(before))
  const { userId = '' } = message
  const ofUser = traitsAfter(byUser.get(userId) ?? {}, message, late)
  if (!ofUser) return undefined
  const stored = byUser.get(userId)
  const isLeftOut = userId !== '' && stored !== undefined && isEmpty(stored)
  if (isEmpty(ofUser) && !isLeftOut) byUser.delete(userId)
  else if (!isLeftOut) byUser.set(userId, ofUser)
  return { traits, traitsByUser: traitsApart(byUser) }
}

/**
 * Returns the traits of the users who are told apart: of those with the smallest hashes as many as there is room for.
 * Those of others are in the browser's own traits alone. The first user for whom there was none stays, without traits:
 * so those after it, whose earlier traits are gone, are not told apart again, in whatever order they come.
 */
function traitsApart(byUser: ReadonlyMap<string, Profile['traits']>): Record<string, Profile['traits']> {
  const ofNone = byUser.get('')
  const byUserApart = new Map<string, Profile['traits']>(ofNone && [['', ofNone]])
  let bytes = memoryOf({}) + (ofNone ? entryBytes('', ofNone) : 0)
  const users = [...byUser.keys()].filter(user => user !== '').sort((a, b) => hash32(a) - hash32(b))
  for (const user of users.slice(0, MAX_USERS_APART)) {
    const traits = byUser.get(user)!
    bytes += entryBytes(user, traits)
    const isIn = !isEmpty(traits) && bytes <= MAX_PROFILE_TRAITS_BYTES
    byUserApart.set(user, isIn ? traits : {})
    if (!isIn) break
  }
  return Object.fromEntries(byUserApart)
}

function entryBytes(user: string, traits: Profile['traits']): number {
  return memoryOf({ [user]: true }) - memoryOf({}) + partBytes(traits)
}

function isEmpty(traits: Profile['traits']): boolean {
  return Object.keys(traits).length === 0
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

function without(traits: NonNullable<StoredMessage['traits']>, earlier: Profile['traits']) {
  return Object.fromEntries(Object.entries(traits).filter(([name]) => !Object.hasOwn(earlier, name)))
}

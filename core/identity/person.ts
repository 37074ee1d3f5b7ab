import { type FeatureStates, idsOfVisitor, isPersonKey, type Profile, type StoredMessage } from '@slotstream/protocol'
import { compareTexts } from '../compare-texts.js'
import type { Features } from '../features/feature.js'
import { mergeStates } from '../features/narrow/merge-states.js'
import { cutsOf } from '../features/state/cuts.js'
import { emptyStates } from '../features/state/reduce.js'
import { timeOf } from '../profile/sessions.js'
import { mergeTraits, noTraits, ownOf, type TraitSet, traitSet } from '../profile/traits/trait-set.js'
import { type SettledLink, settleUsers } from './links.js'

/** Returns the user whom a browser belongs to now: of those it is joined with, the one it named last; '' for none. */
export function userOfBrowser({ visitorId, links }: Pick<Profile, 'visitorId' | 'links'>): string {
  if (isPersonKey(visitorId)) return idsOfVisitor(visitorId).userId
  let latest = ''
  let latestAt = Number.NEGATIVE_INFINITY
  for (const [user, { state }] of settleUsers(links ?? {})) {
    const { lastAt } = links![user]!
    if (state !== 'joined' || lastAt < latestAt || (lastAt === latestAt && user > latest)) continue
    latest = user
    latestAt = lastAt
  }
  return latest
}

/**
 * Returns what a browser's features hold of one user: what it sent under the user's id, and what it sent under none
 * where that belongs to the user. Without a user: what belongs to the browser alone. What was done under the id of a
 * user who is not joined, be the join undone or held back, is the browser's, and never another user's.
 */
export function statesOfUser(profile: Profile, userId: string, features: Features): FeatureStates {
  const none = emptyStates(features.revision)
  if (isPersonKey(profile.visitorId)) return profile.features ?? none
  const settled = settleUsers(profile.links ?? {})
  let states = firstUser(settled) === userId ? (profile.features ?? none) : none
  // The positions from which features count stand with the browser's own.
  const cuts = profile.featuresByUser && profile.features && cutsOf(profile.features)
  for (const [user, ofUser] of Object.entries(profile.featuresByUser ?? {})) {
    if ((settled.get(user)?.state === 'joined' ? user : '') !== userId) continue
    states = mergeStates(states, ofUser, features)
    if (cuts) states = mergeStates(states, cuts, features)
  }
  return states
}

/**
 * Returns the traits that a visitor's messages gave a user, told apart as features are: of each what was set last,
 * under the user's own id or, where that belongs to the user, under none. Of a browser that was stored before they were
 * told apart, all are those of its user.
 *
 * @param userId '' for the browser alone
 */
export function traitsOfUser(profile: Profile, userId: string): TraitSet {
  const { visitorId, traits, traitTimes, traitsByUser, traitTimesByUser = {}, links = {} } = profile
  const lastSeen = timeOf(profile.lastSeen)
  if (isPersonKey(visitorId)) return traitSet(traits, traitTimes, lastSeen)
  if (!traitsByUser) return userOfBrowser(profile) === userId ? traitSet(traits, traitTimes, lastSeen) : noTraits()
  const settled = settleUsers(links)
  const ownerOf = (user: string) => {
    if (user === '') return firstUser(settled)
    return settled.get(user)?.state === 'joined' ? user : ''
  }
  const users = Object.keys(traitsByUser).filter(user => ownerOf(user) === userId)
  return mergeTraits(
    users.sort(compareTexts).map(user => traitSet(traitsByUser[user]!, ownOf(traitTimesByUser, user), lastSeen)),
  )
}

/**
 * Returns the user whom messages of a browser belong to that name none: the first one that it named. Of a browser that
 * several users share, the others keep what they did under their own name.
 */
function firstUser(settled: ReadonlyMap<string, SettledLink>): string {
  // They are in the order of their first messages.
  for (const [userId, { state }] of settled) if (state === 'joined') return userId
  return ''
}

/**
 * Returns the user to whom a message of a browser belongs: the one that it names; where it names none, the first one of
 * the browser. '': it is the browser's, for want of a user, or of one who is joined.
 */
export function userOfMessage(
  { userId }: Pick<StoredMessage, 'userId'>,
  settled: ReadonlyMap<string, SettledLink>,
): string {
  if (!userId) return firstUser(settled)
  return settled.get(userId)?.state === 'joined' ? userId : ''
}

/** Folds the parts of a person's browsers. Their order does not matter, and taking one out undoes its join. */
export function foldPerson(parts: readonly FeatureStates[], features: Features): FeatureStates {
  return parts.reduce((all, part) => mergeStates(all, part, features), emptyStates(features.revision))
}

import { type FeatureStates, hash32, type Profile, type StoredMessage } from '@slotstream/protocol'
import type { Features } from '../../features/feature.js'
import { type BrowserStates, cutStates, noteCut } from '../../features/state/cuts.js'
import { mergeStates } from '../../features/state/merge-states.js'
import { draftFeatures, emptyStates, type FeatureDraft } from '../../features/state/reduce.js'
import { featuresBytes } from '../profile-size.js'

/** Revision under which a profile began that was stored before there were features. */
const OLDER_THAN_FEATURES = -1

/**
 * Users of one browser whose features are told apart: several times as many as a guard joins at once. Of more users
 * those of the smallest hashes are; what the others did is kept together, and belongs to none of the users.
 */
const MAX_USERS_APART = 20

/** The key of what users did who are not told apart. */
export const OTHER_USERS = ''

/**
 * Bytes that a profile's features take in memory at most, as `memoryOf` counts them: a hundred times what usual ones
 * take. Messages that would make them larger no longer change them, so that the profile can always be stored.
 */
export const MAX_PROFILE_FEATURES_BYTES = 192 * 1024

/** The features of a profile while the messages of an envelope are counted. */
export interface FeatureCount {
  /** Counts a message of time `at`, in milliseconds since the epoch, for a user of the browser; '' for none. */
  add(message: StoredMessage, at: number, userId: string): void
  /** Returns what the features hold so far, to be read before another message is counted. */
  soFar(): Pick<Profile, 'features' | 'featuresByUser'>
  /** Puts what the features hold now into the profile. */
  finish(after: Profile): void
}

/** Begins to count messages in the features of a profile; undefined for one that is about to begin. */
export function countFeatures(profile: Profile | undefined, features: Features): FeatureCount {
  const revision = profile && !profile.features ? OLDER_THAN_FEATURES : features.revision
  let before: BrowserStates | undefined
  const drafts = new Map<string, FeatureDraft>()

  /** Returns what is there before the first message that counts. */
  function begin(): BrowserStates {
    const ofBrowser = profile?.features ?? emptyStates(revision)
    const byUser = new Map(Object.entries(profile?.featuresByUser ?? {}))
    return cutStates({ ofBrowser, byUser }, features, profile?.seq ?? 0)
  }

  function draftOf(userId: string): FeatureDraft {
    const begun = drafts.get(userId)
    if (begun) return begun
    before ??= begin()
    const { ofBrowser, byUser } = before
    const states = userId === '' ? ofBrowser : (byUser.get(userId) ?? emptyStates(ofBrowser.born))
    const draft = draftFeatures(states, features, version => ofBrowser.of[version]?.[0] ?? 0)
    drafts.set(userId, draft)
    return draft
  }

  /** Returns what is there now, with the messages that were counted. */
  function current() {
    let ofBrowser: FeatureStates = before?.ofBrowser ?? profile?.features ?? emptyStates(revision)
    const byUser = new Map(before?.byUser ?? Object.entries(profile?.featuresByUser ?? {}))
    for (const [userId, draft] of drafts) {
      if (userId === '') ofBrowser = draft.soFar()
      else byUser.set(userId, draft.soFar())
    }
    return { ofBrowser, byUser }
  }

  return {
    add: (message, at, userId) => draftOf(userId).add(message, at),
    soFar: () => fieldsOf(current()),
    finish(after) {
      const { ofBrowser, byUser } = current()
      const apart = byUser.size > MAX_USERS_APART ? usersApart(byUser.keys()) : byUser
      for (const [userId, states] of byUser) {
        if (apart.has(userId)) continue
        const others = byUser.get(OTHER_USERS)
        byUser.set(OTHER_USERS, others ? mergeStates(others, states, features) : states)
        byUser.delete(userId)
      }
      if (before) noteCut(ofBrowser, features)
      const counted = fieldsOf({ ofBrowser, byUser })
      // What `after` has of before stays.
      if (isTooLarge(counted, profile)) after.features ??= emptyStates(revision)
      else Object.assign(after, counted)
    },
  }
}

/** Returns states as a profile has them. */
function fieldsOf({ ofBrowser, byUser }: BrowserStates): Pick<Profile, 'features' | 'featuresByUser'> {
  return { features: ofBrowser, ...(byUser.size > 0 && { featuresByUser: Object.fromEntries(byUser) }) }
}

/** Returns whether the states of features would be too large, and larger than before. */
export function isTooLarge(
  after: Pick<Profile, 'features' | 'featuresByUser'>,
  before: Pick<Profile, 'features' | 'featuresByUser'> = {},
): boolean {
  const bytes = featuresBytes(after)
  return bytes > MAX_PROFILE_FEATURES_BYTES && bytes > featuresBytes(before)
}

/** Returns those of a browser's users whose features are told apart, and the key of all others where there are any. */
export function usersApart(userIds: Iterable<string>): Set<string> {
  const all = new Set(userIds)
  const hadOthers = all.delete(OTHER_USERS)
  const users = [...all]
  if (users.length > MAX_USERS_APART) users.sort((a, b) => hash32(a) - hash32(b))
  const apart = new Set(users.slice(0, MAX_USERS_APART))
  return hadOthers || users.length > MAX_USERS_APART ? apart.add(OTHER_USERS) : apart
}

import { type FeatureStates, hash32, type Profile, type StoredMessage } from '@slotstream/protocol'
import type { Features } from '../features/feature.js'
import { mergeStates } from '../features/state/merge-states.js'
import { draftFeatures, emptyStates, type FeatureDraft } from '../features/state/reduce.js'
import { featuresBytes } from './profile-size.js'

/** Revision under which a profile began that was stored before there were features. */
const OLDER_THAN_FEATURES = -1

/**
 * Users of one browser whose features are told apart. Of more users those of the smallest hashes are; what the others
 * did counts as the browser's.
 */
const MAX_USERS_APART = 5

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
  const seq = profile?.seq ?? 0
  const revision = profile && !profile.features ? OLDER_THAN_FEATURES : features.revision
  const byUser = new Map(Object.entries(profile?.featuresByUser ?? {}))
  const drafts = new Map<string, FeatureDraft>()

  function draftOf(userId: string): FeatureDraft {
    const begun = drafts.get(userId)
    if (begun) return begun
    const before = userId === '' ? profile?.features : byUser.get(userId)
    const draft = draftFeatures(before ?? emptyStates(revision), features, seq)
    drafts.set(userId, draft)
    return draft
  }

  /** Returns what messages hold that name no user. That of users goes into `byUser`. */
  function takeDrafts(): FeatureStates {
    for (const [userId, draft] of drafts) if (userId !== '') byUser.set(userId, draft.soFar())
    return drafts.get('')?.soFar() ?? profile?.features ?? emptyStates(revision)
  }

  return {
    add: (message, at, userId) => draftOf(userId).add(message, at),
    soFar() {
      const features = takeDrafts()
      return { features, ...(byUser.size > 0 && { featuresByUser: Object.fromEntries(byUser) }) }
    },
    finish(after) {
      let own = takeDrafts()
      while (byUser.size > MAX_USERS_APART) {
        const one = [...byUser.keys()].reduce((a, b) => (hash32(a) > hash32(b) ? a : b))
        own = mergeStates(own, byUser.get(one)!, features)
        byUser.delete(one)
      }
      const counted = { features: own, ...(byUser.size > 0 && { featuresByUser: Object.fromEntries(byUser) }) }
      const bytes = featuresBytes(counted)
      const isTooLarge = bytes > MAX_PROFILE_FEATURES_BYTES && bytes > featuresBytes(profile ?? {})
      // What `after` has of before stays.
      if (isTooLarge) after.features ??= emptyStates(revision)
      else Object.assign(after, counted)
    },
  }
}

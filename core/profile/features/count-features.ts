import type { Profile, StoredMessage } from '@slotstream/protocol'
import type { Features } from '../../features/feature.js'
import { type BrowserStates, cutStates, noteCut } from '../../features/state/cuts.js'
import { draftFeatures, emptyStates, type FeatureDraft } from '../../features/state/reduce.js'
import { featuresBytes } from '../profile-size.js'
import { boundFeatures, narrowingsOf, stepOf, withUsersApart } from './bound-features.js'
import { mostGrowth } from './growth.js'
import { MAX_PROFILE_FEATURES_BYTES, MAX_USERS_APART } from './ladder.js'

/** Revision under which a profile began that was stored before there were features. */
const OLDER_THAN_FEATURES = -1

/** The features of a profile while the messages of an envelope are counted. */
export interface FeatureCount {
  /** Counts a message of time `at`, in milliseconds since the epoch, for a user of the browser; '' for none. */
  add(message: StoredMessage, at: number, userId: string): void
  /** Returns what the features hold so far, to be read before another message is counted. */
  soFar(): Pick<Profile, 'features' | 'featuresByUser'>
  /**
   * Puts what the features hold now into the profile.
   *
   * @returns whether they were narrowed, so that they stay within their bytes
   */
  finish(after: Profile): boolean
}

/** Begins to count messages in the features of a profile; undefined for one that is about to begin. */
export function countFeatures(profile: Profile | undefined, features: Features): FeatureCount {
  const revision = profile && !profile.features ? OLDER_THAN_FEATURES : features.revision
  let before: BrowserStates | undefined
  let drafts = new Map<string, FeatureDraft>()
  /** Bytes that can surely be added before the states have to be bounded; negative: they have to be. */
  let room = 0

  /** Returns what is there before the first message that counts. */
  function begin(): BrowserStates {
    const states = cutStates(browserStatesOf(profile, revision), features, profile?.seq ?? 0)
    room = roomOf(states)
    return states
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
  function current(): BrowserStates {
    const states = before ?? browserStatesOf(profile, revision)
    let { ofBrowser } = states
    const byUser = new Map(states.byUser)
    for (const [userId, draft] of drafts) {
      if (userId === '') ofBrowser = draft.soFar()
      else byUser.set(userId, draft.soFar())
    }
    return { ofBrowser, byUser }
  }

  return {
    add(message, at, userId) {
      room -= mostGrowth(draftOf(userId).add(message, at))
      if (room >= 0) return
      // After each message, so that it does not matter how messages were cut into batches.
      before = boundFeatures(current(), features)
      drafts = new Map()
      room = roomOf(before)
    },
    soFar: () => fieldsOf(current()),
    finish(after) {
      const states = withUsersApart(current(), MAX_USERS_APART, features)
      if (before) noteCut(states.ofBrowser, features)
      Object.assign(after, fieldsOf(states))
      if (stepOf(states) === 0) return false
      return narrowingsOf(states) > narrowingsOf(browserStatesOf(profile, revision))
    },
  }
}

/** Returns the bytes that can be added to states before they are to be bounded: none to narrowed ones. */
function roomOf(states: BrowserStates): number {
  return stepOf(states) > 0 ? -1 : MAX_PROFILE_FEATURES_BYTES - featuresBytes(fieldsOf(states))
}

/** Returns the states that a profile has; empty ones of a revision where it has none. */
export function browserStatesOf(
  fields: Pick<Profile, 'features' | 'featuresByUser'> = {},
  revision = 0,
): BrowserStates {
  const { features = emptyStates(revision), featuresByUser = {} } = fields
  return { ofBrowser: features, byUser: new Map(Object.entries(featuresByUser)) }
}

/** Returns states as a profile has them: the inverse of `browserStatesOf`. */
export function fieldsOf({ ofBrowser, byUser }: BrowserStates): Pick<Profile, 'features' | 'featuresByUser'> {
  return { features: ofBrowser, ...(byUser.size > 0 && { featuresByUser: Object.fromEntries(byUser) }) }
}

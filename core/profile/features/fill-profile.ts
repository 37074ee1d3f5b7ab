import type { FeatureStates, Profile } from '@slotstream/protocol'
import type { Feature } from '../../features/feature.js'
import { mergeStates } from '../../features/narrow/merge-states.js'
import { eitherNarrowed, narrowStates } from '../../features/narrow/narrow-states.js'
import { countsFrom } from '../../features/state/cuts.js'
import {
  asComplete,
  fillsAll,
  type HistoryFill,
  historyLacking,
  withHistory,
} from '../../features/state/fill-states.js'
import { emptyStates } from '../../features/state/reduce.js'
import { timeOf } from '../sessions.js'
import { boundFeatures } from './bound-features.js'
import { browserStatesOf, fieldsOf } from './count-features.js'
import { OTHER_USERS, usersApart } from './users-apart.js'

/** A fill of features from the messages of a partition, see `HistoryFill`. */
export interface ProfileFill extends HistoryFill {
  /** Receipt of the first message that the streams have: of profiles that began later they have all messages. */
  fromTime: number
}

/** A profile with its history, or the sequences up to which the history has to be counted as well before. */
export type FilledProfile = { profile: Profile } | { missing: number[] }

/** The counted history of a browser, by the sequence up to which; undefined: there are no messages. */
export type CountedHistory = ReadonlyMap<number, Profile | undefined>

/** A feature that lacks history, and the sequence up to which that is to be counted. */
interface Lacking {
  feature: Feature
  bound: number
}

/** Returns whether the streams still have all messages that a profile is made of. */
export function isWhole({ firstSeen }: Pick<Profile, 'firstSeen'>, { from, fromTime }: ProfileFill): boolean {
  return from === 0 || timeOf(firstSeen) > fromTime
}

/**
 * Returns a profile with the history of features that lack it: as if they had been declared before its first message,
 * or before the first one that the streams still have. Gives back `profile` itself where it lacks nothing.
 *
 * @param counted what the messages gave by the reducer with the features `fill.counted`. It has an entry for
 * `fill.through`
 */
export function fillProfile(profile: Profile, counted: CountedHistory, fill: ProfileFill): FilledProfile {
  const ofBrowser = profile.features ?? emptyStates(-1)
  const last = counted.get(fill.through)?.seq ?? 0
  const lacking: Lacking[] = []
  for (const feature of fill.counted.byVersion.values()) {
    const bound = historyLacking(ofBrowser, feature, fill, last)
    if (bound !== undefined) lacking.push({ feature, bound })
  }
  const missing = [...new Set(lacking.map(({ bound }) => bound))].filter(bound => !counted.has(bound))
  if (missing.length > 0) return { missing }
  const isComplete = ofBrowser.born < fill.features.revision && isWhole(profile, fill) && fillsAll(ofBrowser, fill)
  if (lacking.length === 0 && !isComplete) return { profile }
  const after = filledStates({ ...profile, features: ofBrowser }, lacking, counted, fill)
  if (isComplete) {
    after.features = asComplete(after.features, fill.features.revision)
    for (const [userId, states] of Object.entries(after.featuresByUser ?? {}))
      after.featuresByUser![userId] = asComplete(states, fill.features.revision)
  }
  return { profile: { ...profile, ...fieldsOf(boundFeatures(browserStatesOf(after), fill.features)) } }
}

function filledStates(
  profile: Profile & { features: FeatureStates },
  lacking: readonly Lacking[],
  counted: CountedHistory,
  fill: ProfileFill,
): Pick<Profile, 'featuresByUser'> & { features: FeatureStates } {
  const { features, featuresByUser = {} } = profile
  const since = isWhole(profile, fill) ? 0 : fill.from
  const apart = usersApart(Object.keys({ ...featuresByUser, ...counted.get(fill.through)?.featuresByUser }))
  const ofBrowser = filled(features, history => history.features)
  const byUser = [...apart].map(userId => {
    const states = featuresByUser[userId] ?? emptyStates(features.born)
    const ofUser = (history: Profile) => history.featuresByUser?.[userId]
    const statesOf = userId === OTHER_USERS ? (history: Profile) => statesOfOthers(history, apart, fill) : ofUser
    return [userId, filled(states, statesOf)] as const
  })
  return { features: ofBrowser, ...(byUser.length > 0 && { featuresByUser: Object.fromEntries(byUser) }) }

  function filled(states: FeatureStates, statesOf: (history: Profile) => FeatureStates | undefined): FeatureStates {
    return lacking.reduce((after, { feature, bound }) => {
      const profileThen = counted.get(bound)
      const history = profileThen && statesOf(profileThen)
      const counts = countsFrom(features, feature.version) !== undefined
      // What was left out of one is left out of both, as in `mergeStates`.
      const narrowed = eitherNarrowed(after.narrowed, history?.narrowed)
      const narrow = (each: FeatureStates) => (narrowed ? narrowStates(each, narrowed, fill.features) : each)
      return withHistory(narrow(after), feature, history && narrow(history), { counts, since })
    }, states)
  }
}

/** Returns what was counted for users that are not told apart, or are no longer. */
function statesOfOthers(counted: Profile, apart: ReadonlySet<string>, fill: ProfileFill): FeatureStates | undefined {
  let others: FeatureStates | undefined
  for (const [userId, states] of Object.entries(counted.featuresByUser ?? {}))
    if (userId === OTHER_USERS || !apart.has(userId))
      others = others ? mergeStates(others, states, fill.counted) : states
  return others
}

import type { FeatureStates, Narrowed } from '@slotstream/protocol'
import type { Feature, Features } from '../../features/feature.js'
import { mergeStates } from '../../features/narrow/merge-states.js'
import { isDivisible, narrowHeld } from '../../features/narrow/narrow-held.js'
import { NO_SESSION_FEATURES, narrowState, narrowStates, narrowVisits } from '../../features/narrow/narrow-states.js'
import { NOTHING_LEFT } from '../../features/narrow/share-left.js'
import type { BrowserStates } from '../../features/state/cuts.js'
import { heldOf } from '../../features/state/nothing.js'
import { FIXED_FEATURES, narrowedBytes, PER_FEATURE, stateBytes, visitsBytes } from '../profile-size.js'
import { LADDER, MAX_PROFILE_FEATURES_BYTES, type Step } from './ladder.js'
import { OTHER_USERS, usersApart } from './users-apart.js'

/**
 * Returns states that are within their bytes: narrowed by as few steps of the ladder as it takes, and by no fewer than
 * before. How far each feature is narrowed follows from what it holds, and from the step; that follows from all of
 * them. A narrowed feature counts in full for the bound of its step, which it has exceeded: so the end is the same in
 * any order, as long as nothing leaves by itself, such as what is older than its window.
 */
export function boundFeatures(states: BrowserStates, features: Features): BrowserStates {
  let step = stepOf(states)
  let left = states
  for (; ; step++) {
    const bounds = LADDER[step]!
    left = withUsersApart(left, bounds.users, features)
    if (step > 0) left = narrowAll(left, step, features)
    if (step === LADDER.length - 1 || bytesCharged(left, bounds, features) <= MAX_PROFILE_FEATURES_BYTES) return left
  }
}

/** Returns how far a browser's states are narrowed, as a number that grows whenever they are narrowed further. */
export function narrowingsOf({ ofBrowser, byUser }: BrowserStates): number {
  let halvings = 0
  for (const { narrowed } of [ofBrowser, ...byUser.values()])
    if (narrowed) halvings += narrowed.visits + Object.values(narrowed.of).reduce((sum, each) => sum + each, 0)
  return stepOf({ ofBrowser, byUser }) * 1e6 + halvings
}

/** Returns the step that a browser's states came to. */
export function stepOf({ ofBrowser, byUser }: BrowserStates): number {
  let step = ofBrowser.narrowed?.step ?? 0
  for (const { narrowed } of byUser.values()) step = Math.max(step, narrowed?.step ?? 0)
  return Math.min(step, LADDER.length - 1)
}

/** Returns states with so many users apart, and what the others did together. */
export function withUsersApart(states: BrowserStates, most: number, features: Features): BrowserStates {
  if (states.byUser.size <= most) return states
  const byUser = new Map(states.byUser)
  const apart = usersApart(byUser.keys(), most)
  for (const [userId, ofUser] of states.byUser) {
    if (apart.has(userId)) continue
    const others = byUser.get(OTHER_USERS)
    byUser.set(OTHER_USERS, others ? mergeStates(others, ofUser, features) : ofUser)
    byUser.delete(userId)
  }
  return { ofBrowser: states.ofBrowser, byUser }
}

function narrowAll({ ofBrowser, byUser }: BrowserStates, step: number, features: Features): BrowserStates {
  const narrow = (states: FeatureStates) => narrowToStep(states, step, features)
  return {
    ofBrowser: narrow(ofBrowser),
    byUser: new Map([...byUser].map(([userId, states]) => [userId, narrow(states)] as const)),
  }
}

/** States that are within the bounds of a step: of a browser with many users a message changes those of one. */
const within = new WeakMap<FeatureStates, number>()

/** Returns states of which each part is within the bounds of a step. */
function narrowToStep(before: FeatureStates, step: number, features: Features): FeatureStates {
  if (within.get(before) === step) return before
  const states = narrowParts(before, step, features)
  within.set(states, step)
  return states
}

function narrowParts(before: FeatureStates, step: number, features: Features): FeatureStates {
  const bounds = LADDER[step]!
  const noted: Narrowed = before.narrowed ?? { step: 0, visits: 0, of: {} }
  const states = before.narrowed ? narrowStates(before, noted, features) : before
  const visits = leastHalvings(
    noted.visits,
    NO_SESSION_FEATURES,
    halvings => visitsBytes(narrowVisits(states, halvings, features).visits) <= bounds.sessions,
  )
  const further: Record<string, number> = {}
  for (const [version, state] of Object.entries(states.of)) {
    const feature = features.byVersion.get(version)
    if (!feature || stateBytes(state) <= boundOf(feature, bounds)) continue
    further[version] = leastHalvings(noted.of[version] ?? 0, NOTHING_LEFT, halvings => {
      const left = narrowState(state, narrowHeld(heldOf(state), feature, halvings))
      return !left || stateBytes(left) <= boundOf(feature, bounds)
    })
  }
  const isAsNoted = step === noted.step && visits === noted.visits && Object.keys(further).length === 0
  return isAsNoted ? states : narrowStates(states, { step, visits, of: { ...noted.of, ...further } }, features)
}

function boundOf(feature: Feature, bounds: Step): number {
  return isDivisible(feature) ? bounds.lists : bounds.others
}

/** Returns the least number from `from` to `most` at which something fits; `most` where it does at none. */
function leastHalvings(from: number, most: number, fits: (halvings: number) => boolean): number {
  if (fits(from)) return from
  let [tooFew, enough] = [from, most]
  while (tooFew + 1 < enough) {
    const middle = (tooFew + enough) >> 1
    if (fits(middle)) enough = middle
    else tooFew = middle
  }
  return enough
}

/** Returns the bytes of states where what is narrowed takes all that it may. */
function bytesCharged({ ofBrowser, byUser }: BrowserStates, bounds: Step, features: Features): number {
  let bytes = PER_FEATURE * byUser.size
  for (const { of: byVersion, visits, narrowed } of [ofBrowser, ...byUser.values()]) {
    bytes += FIXED_FEATURES + narrowedBytes(narrowed)
    bytes += narrowed?.visits ? Math.max(bounds.sessions, visitsBytes(visits)) : visitsBytes(visits)
    for (const version in byVersion) if (!narrowed?.of[version]) bytes += stateBytes(byVersion[version]!)
    for (const version in narrowed?.of) {
      const feature = features.byVersion.get(version)
      if (feature) bytes += boundOf(feature, bounds)
    }
  }
  return bytes
}

import {
  type FeatureState,
  memoryOf,
  memoryOfText,
  type Narrowed,
  type Profile,
  type Visit,
} from '@slotstream/protocol'
import {
  ARRIVAL_BYTES,
  decisionBytes,
  earningBytes,
  taughtBytes,
  textsBytes,
  timedBytes,
} from '../ledger/ledger-size.js'

/**
 * Bytes of what every profile has: its object, its fields' numbers and times, and its entries in the partition's maps.
 */
const FIXED = 1_024

/** Bytes of the object of features, or of patterns. */
export const FIXED_FEATURES = 256

/** Bytes of the place of one of them. */
export const PER_FEATURE = 128

/** Bytes that a part takes at most that is counted each time: to remember its size takes longer, and memory. */
const SMALL = 512

/** Bytes that larger parts take in memory, by the part itself: most messages leave most parts as they are. */
const sizes = new WeakMap<object, number>()

/** Bytes that a profile takes in memory: an estimate that errs upwards, see `memoryOf`. */
export function profileBytes(profile: Profile): number {
  const { siteId, visitorId, anonymousId, userId, session, affinities, traits, segments, recent, signalMemory } =
    profile
  const { links, members, patterns, heard, traitsByUser, traitTimes, traitTimesByUser } = profile
  return (
    FIXED +
    3 * memoryOfText(visitorId) +
    memoryOfText(siteId) +
    memoryOfText(anonymousId) +
    memoryOfText(userId) +
    (session ? memoryOfText(session.id) : 0) +
    8 * (recent.length + (heard?.length ?? 0)) +
    memoryOf(segments) +
    memoryOf(signalMemory) +
    partBytes(affinities) +
    partBytes(traits) +
    (traitTimes ? partBytes(traitTimes) : 0) +
    (traitsByUser ? partBytes(traitsByUser) : 0) +
    (traitTimesByUser ? partBytes(traitTimesByUser) : 0) +
    featuresBytes(profile) +
    (links ? partBytes(links) : 0) +
    (members ? partBytes(members) : 0) +
    patternBytes(patterns) +
    ledgerBytes(profile)
  )
}

/** Bytes of a profile's features, of all its users together. */
export function featuresBytes({ features, featuresByUser = {} }: Pick<Profile, 'features' | 'featuresByUser'>): number {
  let bytes = featureBytes(features)
  for (const userId in featuresByUser) bytes += PER_FEATURE + featureBytes(featuresByUser[userId])
  return bytes
}

/** Bytes of what features hold. A message changes some of them and leaves the others as they are. */
function featureBytes(features: Profile['features']): number {
  if (!features) return 0
  let bytes = FIXED_FEATURES + visitsBytes(features.visits) + narrowedBytes(features.narrowed)
  for (const version in features.of) bytes += stateBytes(features.of[version]!)
  return bytes
}

/** Bytes of what one feature holds. */
export function stateBytes(state: FeatureState): number {
  return PER_FEATURE + partBytes(state)
}

/** Bytes of sessions. */
export function visitsBytes(visits: readonly Visit[]): number {
  let bytes = 0
  for (const visit of visits) bytes += partBytes(visit)
  return bytes
}

/** Bytes of what is known of features that were narrowed. */
export function narrowedBytes(narrowed: Narrowed | undefined): number {
  return narrowed ? partBytes(narrowed) : 0
}

/** Bytes of what patterns remember. A message changes the states of few of them. */
function patternBytes(patterns: Profile['patterns']): number {
  if (!patterns) return 0
  let bytes = FIXED_FEATURES
  for (const states of [patterns.of, ...Object.values(patterns.byUser ?? {})])
    for (const name in states) bytes += PER_FEATURE + partBytes(states[name]!)
  for (const user in patterns.byUser) bytes += PER_FEATURE + memoryOfText(user)
  return bytes
}

/** Bytes of a profile's decisions and what came of them. A message changes few of them. */
function ledgerBytes(profile: Profile): number {
  const { decisions = [], earnings = [], taught = [], stopped = [], shown = [], endings = [], arrivals = [] } = profile
  let bytes = ARRIVAL_BYTES * arrivals.length
  for (const decision of decisions) bytes += decisionBytes(decision)
  for (const earning of earnings) bytes += earningBytes(earning)
  for (const [slotId] of taught) bytes += taughtBytes(slotId)
  for (const each of shown) bytes += timedBytes(each)
  for (const each of endings) bytes += timedBytes(each)
  return stopped.length > 0 ? bytes + textsBytes(stopped) : bytes
}

/** Bytes of a profile's traits, or of another part that is replaced as a whole when it changes. */
export function partBytes(part: object): number {
  const before = sizes.get(part)
  if (before !== undefined) return before
  const bytes = memoryOf(part)
  if (bytes > SMALL) sizes.set(part, bytes)
  return bytes
}

import { memoryOf, memoryOfText, type Profile } from '@slotstream/protocol'

/**
 * Bytes of what every profile has: its object, its fields' numbers and times, and its entries in the partition's maps.
 */
const FIXED = 1_024

/** Bytes that a profile's parts take in memory, by the part itself: most messages leave most parts as they are. */
const known = new WeakMap<object, number>()

/** Bytes that a profile takes in memory: an estimate that errs upwards, see `memoryOf`. */
export function profileBytes(profile: Profile): number {
  const { siteId, visitorId, anonymousId, userId, session, affinities, traits, segments, recent, signalMemory } =
    profile
  return (
    FIXED +
    3 * memoryOfText(visitorId) +
    memoryOfText(siteId) +
    memoryOfText(anonymousId) +
    memoryOfText(userId) +
    (session ? memoryOfText(session.id) : 0) +
    8 * recent.length +
    memoryOf(segments) +
    memoryOf(signalMemory) +
    partBytes(affinities) +
    partBytes(traits)
  )
}

/** Bytes of a profile's traits, or of another part that is replaced as a whole when it changes. */
export function partBytes(part: object): number {
  const before = known.get(part)
  if (before !== undefined) return before
  const bytes = memoryOf(part)
  known.set(part, bytes)
  return bytes
}

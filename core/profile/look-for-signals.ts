import type { Links, Profile, StoredMessage } from '@slotstream/protocol'
import { ownerOf, userOfSignal } from '../identity/owners.js'
import type { CompiledPatterns, Match } from '../patterns/compiled.js'
import type { OnSegment } from '../segments/members/watch-segments.js'
import { type Detected, detect } from '../signals/detect.js'
import type { Observation } from '../signals/detector.js'
import { withSignals } from './recent-signals.js'
import type { PatternSearch } from './search-patterns.js'

/** Takes what is detected: by detectors in a message, by patterns and segments in a message or at a time. */
export interface Listeners {
  onFound(detected: Detected, message: StoredMessage, after: Profile): void
  onMatch(match: Match, after: Profile): void
  onSegment: OnSegment
}

/** Facts by which it is decided whose a signal is. */
export interface Whose {
  /** User whom the message names and proves to be; '' for none, and for a time. */
  userId: string
  /** Returns the visitor's links after the message. */
  links: () => Links | undefined
  patterns: CompiledPatterns
}

/** Detects signals in a message. Returns its session. */
export function lookForSignals(
  seen: Omit<Observation, 'session'>,
  whose: Whose,
  search: PatternSearch,
  { onFound, onMatch }: Pick<Listeners, 'onFound' | 'onMatch'>,
): string {
  const { message, at, after } = seen
  const { memory, detected: detections, sessionId } = detect(seen)
  if (detections.length > 0) {
    const linked = withLinks(after, whose)
    const signed = { ...linked, userId: userOfSignal(linked, whose.userId) }
    for (const detected of detections) onFound(detected, message, signed)
    const signals = detections.map(({ signal }) => ({ name: signal, at, ...apartOf(signed) }))
    after.recentSignals = withSignals(after.recentSignals, signals)
  }
  noteMatches(search.look(message, at, sessionId, whose.links), after, whose, onMatch)
  after.signalMemory = memory
  return sessionId
}

/** Tells of matches, and notes them among the profile's latest signals. */
export function noteMatches(
  matches: readonly Match[],
  after: Profile,
  whose: Whose,
  onMatch: Listeners['onMatch'],
): void {
  if (matches.length === 0) return
  const linked = withLinks(after, whose)
  const signed = matches.map(match => ({ match, profile: { ...linked, userId: userOfMatch(match, linked, whose) } }))
  const signals = signed.map(({ match: { pattern, ...match }, profile }) => ({
    ...match,
    name: pattern,
    ...apartOf(profile),
  }))
  after.recentSignals = withSignals(after.recentSignals, signals)
  for (const { match, profile } of signed) onMatch(match, profile)
}

function withLinks(after: Profile, { links }: Whose): Profile {
  const now = links()
  return now ? { ...after, links: now } : after
}

/** Returns the user whose a match is. A pattern of persons looks at each user apart, one of visitors at all of them. */
function userOfMatch({ pattern, user }: Match, profile: Profile, { userId, patterns }: Whose): string {
  return user ?? userOfSignal(profile, patterns.byName.get(pattern)?.isOfPerson ? '' : userId)
}

/** Returns the user to note with a signal: of one of the first user, none. */
function apartOf({ userId, links }: Profile): { user?: string } {
  return links && ownerOf(links, '').userId !== userId ? { user: userId } : {}
}

import { type EventEnvelope, isoTime, type Profile } from '@slotstream/protocol'
import { timeOf } from './sessions.js'

/** Days after which profiles of a single anonymous visit leave, unless a setting says otherwise. */
export const ANONYMOUS_PROFILE_DAYS = 30

const DAY_MS = 24 * 3600_000

/**
 * Returns whether a profile has ended at `now` (milliseconds since the epoch): its visitor is no known person, came
 * once, and nothing was received for `days` days; 0 for never.
 *
 * It follows from the profile and the time of receipt of the next message alone. So a message that is received later
 * begins a new profile, in a replay as well, whether or not the old one was removed from memory and store by then.
 */
export function hasEnded(profile: Profile, now: number, days: number): boolean {
  if (days === 0 || !isOfOneVisit(profile)) return false
  return now - timeOf(profile.lastReceived ?? profile.lastSeen) > days * DAY_MS
}

/**
 * Returns whether the visitor is no known user, and had one session at most. A visitor about whom an administrator
 * decided is known: the decision has to last.
 */
export function isOfOneVisit({ userId, sessions, links }: Profile): boolean {
  return userId === '' && sessions <= 1 && !(links && Object.values(links).some(({ decision }) => decision))
}

/**
 * Returns when the last message of a visitor was received, after an envelope; undefined: nothing of the visitor was
 * received with it, because a time comes, or a partition tells something.
 */
export function lastReceivedAfter(before: Profile | undefined, envelope: EventEnvelope): string | undefined {
  const { timer, segments, served, forwarded, hearsay, receivedAt } = envelope
  if (timer || segments || served || forwarded || hearsay) return undefined
  const at = timeOf(receivedAt)
  const time = Number.isNaN(at) ? '' : isoTime(at)
  return [before?.lastReceived ?? '', time].sort().at(-1) || undefined
}

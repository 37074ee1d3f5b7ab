import type { FrequencyCap, KeptDecision } from '@slotstream/protocol'
import { PAUSE_MS } from '../profile/sessions.js'

const HOUR_MS = 3_600_000

/** Milliseconds of the windows of caps. */
const WINDOWS_MS = { '1h': HOUR_MS, '24h': 24 * HOUR_MS, '7d': 7 * 24 * HOUR_MS }

/** Time after which a decision that was not viewed no longer counts as a showing, in milliseconds. */
export const RELEASED_AFTER_MS = 10 * 60_000

/** One time that a content was shown to a person. */
export interface Showing {
  /** When it was decided, in milliseconds since the epoch. */
  at: number
  /** Session of the request; '' where it named none. */
  sessionId: string
}

/**
 * Returns when each content was shown to a person, by its id. A decision counts at once. If it is not viewed within ten
 * minutes, it no longer counts, unless its slot counts from the decision (`countFrom: 'served'`).
 *
 * @param decisions of all the person's browsers
 * @param now milliseconds since the epoch
 */
export function showingsOf(decisions: readonly KeptDecision[], now: number): Map<string, Showing[]> {
  const showings = new Map<string, Showing[]>()
  const seen = new Set<string>()
  for (const { decisionId, at, sessionId, countFrom, items } of decisions) {
    if (seen.has(decisionId)) continue
    seen.add(decisionId)
    const isRecent = now - at <= RELEASED_AFTER_MS || countFrom === 'served'
    for (const { contentId, viewedAt } of items) {
      if (!isRecent && viewedAt === undefined) continue
      const ofContent = showings.get(contentId)
      if (ofContent) ofContent.push({ at, sessionId })
      else showings.set(contentId, [{ at, sessionId }])
    }
  }
  return showings
}

/**
 * Counts how often a content was shown within the window of a cap. Requests that name no session are of one session
 * where they are at most half an hour apart from now.
 *
 * @param sessionId of the request; '' where it names none
 */
export function timesShown(
  showings: readonly Showing[] | undefined,
  per: FrequencyCap['per'],
  { now, sessionId }: { now: number; sessionId: string },
): number {
  let times = 0
  for (const showing of showings ?? []) {
    const isWithin =
      per === 'session'
        ? showing.sessionId === sessionId && (sessionId !== '' || now - showing.at <= PAUSE_MS)
        : now - showing.at < WINDOWS_MS[per]
    if (isWithin) times++
  }
  return times
}

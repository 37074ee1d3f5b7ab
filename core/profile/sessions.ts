import {
  hash32,
  idOf,
  isoTime,
  MAX_NAME_LENGTH,
  type Profile,
  parseTime,
  type StoredMessage,
  visitorText,
} from '@slotstream/protocol'

type Session = NonNullable<Profile['session']>

/** A pause this long ends a session that no message names, in milliseconds. */
export const PAUSE_MS = 30 * 60_000

/** A session that the server derives lasts no longer than this. */
const LONGEST_MS = 24 * 3600_000

/**
 * Returns the running session after a message of time `at` (milliseconds since the epoch). A message that names its
 * session belongs to it; others continue the running one or, after a pause, begin one. A late message from before the
 * running session belongs to one that is over: it neither ends nor begins a session, and `running` itself is returned.
 *
 * @param named `context.sessionId` of the message
 */
export function sessionAfter(
  running: Session | null,
  at: number,
  named: string | undefined,
  siteId: string,
  visitorId: string,
): Session {
  if (!running) return begin(at, named, siteId, visitorId)
  const startedAt = timeOf(running.startedAt)
  const lastAt = timeOf(running.lastAt)
  if (named !== undefined && named !== running.id) return at >= lastAt ? begin(at, named, siteId, visitorId) : running
  if (named === undefined) {
    if (at > lastAt + PAUSE_MS || at > startedAt + LONGEST_MS) return begin(at, named, siteId, visitorId)
    if (at < startedAt - PAUSE_MS) return running
  }
  return {
    id: running.id,
    startedAt: at < startedAt ? isoTime(at) : running.startedAt,
    lastAt: at > lastAt ? isoTime(at) : running.lastAt,
  }
}

/** Returns the id of the session that a message names; undefined where it names none. */
export function sessionIdOf(message: StoredMessage): string | undefined {
  const id: unknown = idOf(message.context?.sessionId)
  return typeof id === 'string' && id !== '' && id.length <= MAX_NAME_LENGTH ? id : undefined
}

/** Milliseconds since the epoch of a time as messages and profiles hold them, or NaN. */
export function timeOf(text: string): number {
  return parseTime(text) ?? Number.NaN
}

/** Begins a session. Derived ids follow from the messages alone, so that a replay derives the same. */
function begin(at: number, named: string | undefined, siteId: string, visitorId: string): Session {
  const time = isoTime(at)
  const id = named ?? `${at.toString(36)}-${hash32(visitorText(siteId, visitorId)).toString(36)}`
  return { id, startedAt: time, lastAt: time }
}

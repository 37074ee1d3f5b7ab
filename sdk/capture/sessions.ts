import type { KeyValue } from '../platform/storage.js'

export interface Session {
  id: string
  /** Milliseconds since the epoch. */
  startedAt: number
  lastAt: number
}

/** In milliseconds. */
export interface SessionLimits {
  sessionTimeout: number
  sessionMaxAge: number
}

/**
 * Returns the session that activity at `now` belongs to: the same one, or a new one after a pause or at its greatest
 * age. One that lies ahead by as much comes of a clock that was wrong: kept, it would last until that time.
 */
export function nextSession(
  session: Session | undefined,
  now: number,
  { sessionTimeout, sessionMaxAge }: SessionLimits,
  newId: () => string,
): Session {
  if (!session || now - session.lastAt >= sessionTimeout || Math.abs(now - session.startedAt) >= sessionMaxAge)
    return { id: newId(), startedAt: now, lastAt: now }
  // A clock that was set back a little must not shorten the pause.
  return { ...session, lastAt: Math.max(session.lastAt, now) }
}

/**
 * For this long a tab takes the session it knows for the one all tabs share: reading storage for each of a thousand
 * messages costs.
 */
const TRUST_MS = 1_000

export type Sessions = ReturnType<typeof createSessions>

/** Creates the session that all tabs share, kept in storage as `id startedAt lastAt`. */
export function createSessions(storage: KeyValue, limits: SessionLimits, newId: () => string) {
  let current: Session | undefined
  let readAt = 0
  return {
    /** Returns the id of the session at `now`; notes the activity. */
    touch(now: number): string {
      if (current && now >= readAt && now - readAt < TRUST_MS) return current.id
      current = nextSession(read(storage.get('session')), now, limits, newId)
      readAt = now
      storage.set('session', `${current.id} ${current.startedAt} ${current.lastAt}`)
      return current.id
    },
    /** Reads again: another tab may have begun another. */
    reread() {
      current = undefined
    },
    /** Forgets the session: the next message begins a new one. */
    reset() {
      current = undefined
      storage.set('session')
    },
  }
}

function read(text: string | undefined): Session | undefined {
  const [id, startedAt, lastAt] = text?.split(' ') ?? []
  return id && Number(startedAt) && Number(lastAt)
    ? { id, startedAt: Number(startedAt), lastAt: Number(lastAt) }
    : undefined
}

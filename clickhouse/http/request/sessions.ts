import { ClickHouseException } from '../../errors.js'
import type { SessionChange } from '../../sql/session-change.js'

/** Sessions of one user at a time. Those that keep a connection of the engine hold 350 KB each. */
const MAX_SESSIONS = 100

/** Seconds without a query after which a session ends, as in ClickHouse: when the client names none, and at most. */
const DEFAULT_TIMEOUT = 60
const MAX_TIMEOUT = 3600

const MAX_ID_LENGTH = 256

/** The session that a request names. */
export interface SessionRequest {
  id: string
  /** `session_timeout` as sent, in seconds. */
  timeout?: string
  /** The session must be there already. */
  check: boolean
  /** The session ends with this query. */
  close: boolean
}

/** A session while one of its queries runs: no other query gets it until it is left. */
export interface Session {
  /** Tells sessions apart, of any user. */
  readonly key: string
  /** Settings that SET has changed in it. */
  readonly settings: ReadonlyArray<readonly [name: string, value: string]>
  readonly database: string | undefined
  remember(change: SessionChange): void
  /** Says that the session may hold more than that, such as temporary tables. */
  hold(): void
  /** Lets the next query in. Calling it again changes nothing.
   *
   * @param broken whether its connection may be in any state: it then ends, as with `close` */
  leave(broken: boolean): void
}

export interface Sessions {
  /**
   * @param user whose session it is: the same id of another user is another session
   * @throws ClickHouseException SESSION_IS_LOCKED (373), SESSION_NOT_FOUND (372), INVALID_SESSION_TIMEOUT (374),
   * BAD_ARGUMENTS (36) for an id that is too long, and TOO_MANY_SIMULTANEOUS_QUERIES (202) when the user has too many
   */
  enter(user: string, request: SessionRequest): Session
  close(): void
}

interface StoredSession {
  user: string
  busy: boolean
  /** Whether it differs from a new one. */
  changed: boolean
  /** When its last query ended, in milliseconds. */
  leftAt: number
  settings: Map<string, string>
  database: string | undefined
  timer?: NodeJS.Timeout
}

/**
 * Creates the sessions of the HTTP interface: what SET and USE change holds for later queries of the same user and id.
 * Each user has so many; at the bound one that has been without a query for a minute makes room for a new one, if
 * nothing was changed in it: its id then begins a new one that is the same.
 * Source: https://clickhouse.com/docs/interfaces/http#using-clickhouse-sessions-in-the-http-protocol
 *
 * @param onEnd is called with the key of each session that ended
 * @param limit sessions of one user
 */
export function createSessions(onEnd: (key: string) => void, limit = MAX_SESSIONS): Sessions {
  const sessions = new Map<string, StoredSession>()
  const counts = new Map<string, number>()

  function end(key: string): void {
    const session = sessions.get(key)
    if (!session) return
    clearTimeout(session.timer)
    sessions.delete(key)
    const left = counts.get(session.user)! - 1
    if (left === 0) counts.delete(session.user)
    else counts.set(session.user, left)
    onEnd(key)
  }

  function makeRoom(user: string): void {
    const unused = Date.now() - DEFAULT_TIMEOUT * 1000
    const key = [...sessions].find(
      ([, session]) => session.user === user && !session.busy && !session.changed && session.leftAt < unused,
    )?.[0]
    if (key !== undefined) end(key)
    else
      throw new ClickHouseException(
        202,
        'TOO_MANY_SIMULTANEOUS_QUERIES',
        `Too many sessions: ${limit} of this user are open. Send close_session=1 with the last query of a session, or a shorter session_timeout`,
      )
  }

  function open(user: string, key: string): StoredSession {
    if ((counts.get(user) ?? 0) >= limit) makeRoom(user)
    const session = newSession(user)
    sessions.set(key, session)
    counts.set(user, (counts.get(user) ?? 0) + 1)
    return session
  }

  return {
    enter(user, { id, timeout, check, close }) {
      const seconds = secondsOf(timeout)
      if (id.length > MAX_ID_LENGTH)
        throw new ClickHouseException(36, 'BAD_ARGUMENTS', `session_id has more than ${MAX_ID_LENGTH} characters`)
      const key = `${user}:${id}`
      const existing = sessions.get(key)
      if (!existing && check) throw new ClickHouseException(372, 'SESSION_NOT_FOUND', `Session ${id} not found`)
      if (existing?.busy) {
        throw new ClickHouseException(373, 'SESSION_IS_LOCKED', `Session ${id} is locked by a concurrent client`)
      }
      const session = existing ?? open(user, key)
      session.busy = true
      clearTimeout(session.timer)
      let left = false
      return {
        key,
        get settings() {
          return [...session.settings]
        },
        get database() {
          return session.database
        },
        remember({ settings, database }) {
          for (const [name, value] of settings) {
            if (value === undefined) session.settings.delete(name)
            else session.settings.set(name, value)
          }
          session.database = database ?? session.database
          session.changed = true
        },
        hold() {
          session.changed = true
        },
        leave(broken) {
          if (left) return
          left = true
          session.busy = false
          session.leftAt = Date.now()
          if (broken || close) end(key)
          else session.timer = setTimeout(end, seconds * 1000, key).unref()
        },
      }
    },
    close() {
      for (const key of [...sessions.keys()]) end(key)
    },
  }
}

function newSession(user: string): StoredSession {
  return { user, busy: false, changed: false, leftAt: 0, settings: new Map(), database: undefined }
}

function secondsOf(timeout: string | undefined): number {
  const seconds = timeout === undefined ? DEFAULT_TIMEOUT : Number(timeout)
  if (Number.isInteger(seconds) && seconds > 0 && seconds <= MAX_TIMEOUT) return seconds
  throw new ClickHouseException(
    374,
    'INVALID_SESSION_TIMEOUT',
    `Invalid session timeout: '${timeout}' is not a whole number of seconds from 1 to ${MAX_TIMEOUT}`,
  )
}

import { ClickHouseException } from './errors.js'
import type { SessionChange } from './session-change.js'

/** Sessions at a time. Each of the trusted user holds a connection of 350 KB. */
const MAX_SESSIONS = 100

/** Seconds without a query after which a session ends, as in ClickHouse: when the client names none, and at most. */
const DEFAULT_TIMEOUT = 60
const MAX_TIMEOUT = 3600

/** What a request says about its session. */
export interface SessionRequest {
  id: string
  /** `session_timeout` as sent, in seconds. */
  timeout?: string
  /** The session must be there already. */
  check: boolean
  /** The session ends with this query. */
  close: boolean
}

/** A session while one of its queries runs: nobody else gets it until it is left. */
export interface Session {
  /** Tells sessions apart, of any user. */
  readonly key: string
  /** What SET and USE have changed in it. */
  readonly settings: ReadonlyArray<readonly [name: string, value: string]>
  readonly database: string | undefined
  remember(change: SessionChange): void
  /** Lets the next query in. Calling it again changes nothing.
   *
   * @param broken whether its connection may be in any state: it then ends, as with `close` */
  leave(broken: boolean): void
}

export interface Sessions {
  /**
   * @throws ClickHouseException SESSION_IS_LOCKED (373), SESSION_NOT_FOUND (372), INVALID_SESSION_TIMEOUT (374), and
   * TOO_MANY_SIMULTANEOUS_QUERIES (202) when there are too many
   */
  enter(user: string, request: SessionRequest): Session
  close(): void
}

interface Known {
  busy: boolean
  settings: Map<string, string>
  database: string | undefined
  timer?: NodeJS.Timeout
}

/**
 * Sessions of the HTTP interface: what SET and USE change holds for later queries of the same user and id.
 * Source: https://clickhouse.com/docs/interfaces/http#using-clickhouse-sessions-in-the-http-protocol
 *
 * @param onEnd is told the key of each session that ended
 */
export function createSessions(onEnd: (key: string) => void, limit = MAX_SESSIONS): Sessions {
  const sessions = new Map<string, Known>()

  function end(key: string): void {
    clearTimeout(sessions.get(key)?.timer)
    if (sessions.delete(key)) onEnd(key)
  }

  function open(key: string): Known {
    if (sessions.size >= limit) {
      throw new ClickHouseException(
        202,
        'TOO_MANY_SIMULTANEOUS_QUERIES',
        `Too many sessions: ${limit} are open. Send close_session=1 with the last query of a session, or a shorter session_timeout`,
      )
    }
    const known: Known = { busy: false, settings: new Map(), database: undefined }
    sessions.set(key, known)
    return known
  }

  return {
    enter(user, { id, timeout, check, close }) {
      const seconds = secondsOf(timeout)
      const key = `${user}:${id}`
      const found = sessions.get(key)
      if (!found && check) throw new ClickHouseException(372, 'SESSION_NOT_FOUND', `Session ${id} not found`)
      if (found?.busy) {
        throw new ClickHouseException(373, 'SESSION_IS_LOCKED', `Session ${id} is locked by a concurrent client`)
      }
      const known = found ?? open(key)
      known.busy = true
      clearTimeout(known.timer)
      let left = false
      return {
        key,
        get settings() {
          return [...known.settings]
        },
        get database() {
          return known.database
        },
        remember({ settings, database }) {
          for (const [name, value] of settings) {
            if (value === undefined) known.settings.delete(name)
            else known.settings.set(name, value)
          }
          known.database = database ?? known.database
        },
        leave(broken) {
          if (left) return
          left = true
          known.busy = false
          if (broken || close) end(key)
          else known.timer = setTimeout(end, seconds * 1000, key).unref()
        },
      }
    },
    close() {
      for (const key of [...sessions.keys()]) end(key)
    },
  }
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

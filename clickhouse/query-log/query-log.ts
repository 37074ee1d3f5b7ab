/** Rows that are held at most until the next flush; of one user half of them. */
const MAX_HELD = 500
const FLUSH_MS = 5_000
const MAX_ID = 64
const MAX_USER_AGENT = 200
/** Longest name of a database, in characters: a longer one is none. */
const MAX_DATABASE = 64
/** Bytes that an hour may bring, of one user and of all: rows are kept for days, and their texts are the users' own. */
const HOUR_MS = 3_600_000
const MAX_USER_BYTES = 4_000_000
const MAX_BYTES = 4 * MAX_USER_BYTES

/** One query that ended. */
export interface LoggedQuery {
  user: string
  queryId: string
  userAgent: string
  /** First keyword; empty where the statement wasn't read. */
  verb: string
  /** Normalized: no literal may be in it. */
  query: string
  database: string
  /** When the request came, in milliseconds. */
  startedAt: number
  /** Whether the query had begun. */
  started: boolean
  /** 0: no error. */
  exceptionCode: number
  summary: { result_rows?: number; result_bytes?: number; written_rows?: number }
}

/** Collects what was asked, and writes it to a table now and then. */
export interface QueryLog {
  record(query: LoggedQuery): void
  /** Writes what is held; nothing is written afterwards. */
  close(): Promise<void>
}

export interface QueryLogOptions {
  /** Inserts rows of JSONEachRow. */
  insert: (rows: Buffer) => Promise<unknown>
  /** Called with how many queries were left out, or that rows couldn't be written. */
  warn: (entry: Record<string, unknown>) => void
  now?: () => number
}

/** Creates a log whose memory and pace are bounded: what comes faster is counted only. */
export function createQueryLog({ insert, warn, now = Date.now }: QueryLogOptions): QueryLog {
  let pending: string[] = []
  let counts = new Map<string, number>()
  const budget = createHourlyBudget(now)
  let leftOut = 0
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()
  let closed = false

  function flush(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    if (leftOut > 0) warn({ msg: 'queries left out of the query log', count: leftOut })
    const rows = pending
    pending = []
    counts = new Map()
    leftOut = 0
    if (rows.length === 0) return writing
    writing = writing
      .then(() => insert(Buffer.from(rows.join(''))))
      .then(
        () => {},
        error => warn({ msg: 'query log not written', count: rows.length, code: (error as { code?: unknown }).code }),
      )
    return writing
  }

  return {
    record(query) {
      if (closed) return
      const ofUser = counts.get(query.user) ?? 0
      const row = pending.length >= MAX_HELD || ofUser >= MAX_HELD / 2 ? '' : `${JSON.stringify(rowOf(query, now()))}\n`
      if (row === '' || !budget.takes(query.user, Buffer.byteLength(row))) leftOut++
      else {
        counts.set(query.user, ofUser + 1)
        pending.push(row)
      }
      timer ??= setTimeout(flush, FLUSH_MS).unref()
    },
    close() {
      closed = true
      return flush()
    },
  }
}

/**
 * Bounds what an hour may bring, so that a user who fills the log neither fills the disk nor keeps others out for long.
 */
function createHourlyBudget(now: () => number) {
  let hour = 0
  let total = 0
  const bytes = new Map<string, number>()
  return {
    takes(user: string, size: number): boolean {
      const current = Math.floor(now() / HOUR_MS)
      if (current !== hour) {
        hour = current
        total = 0
        bytes.clear()
      }
      const ofUser = (bytes.get(user) ?? 0) + size
      if (ofUser > MAX_USER_BYTES || total + size > MAX_BYTES) return false
      bytes.set(user, ofUser)
      total += size
      return true
    },
  }
}

function rowOf(query: LoggedQuery, now: number): Record<string, string | number> {
  const failed = query.exceptionCode !== 0
  const type = query.started ? 'ExceptionWhileProcessing' : 'ExceptionBeforeStart'
  const { result_rows = 0, result_bytes = 0, written_rows = 0 } = failed ? {} : query.summary
  return {
    type: failed ? type : 'QueryFinish',
    event_time: (now / 1_000).toFixed(3),
    query_duration_ms: Math.max(0, Math.round(now - query.startedAt)),
    result_rows,
    result_bytes,
    written_rows,
    current_database: query.database.slice(0, MAX_DATABASE),
    query: query.query,
    query_kind: query.verb.charAt(0) + query.verb.slice(1).toLowerCase(),
    user: query.user,
    query_id: query.queryId.slice(0, MAX_ID),
    http_user_agent: query.userAgent.slice(0, MAX_USER_AGENT),
    exception_code: query.exceptionCode,
  }
}

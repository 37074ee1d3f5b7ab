/** Rows that are held at most until the next flush; of one user half of them. */
const MAX_HELD = 500
const FLUSH_MS = 5_000
const MAX_ID = 64
const MAX_USER_AGENT = 200

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
  /** Writes what is held, and no more afterwards. */
  close(): Promise<void>
}

export interface QueryLogOptions {
  /** Inserts rows of JSONEachRow. */
  insert: (rows: Buffer) => Promise<unknown>
  /** Is told how many queries were left out, or that rows couldn't be written. */
  warn: (entry: Record<string, unknown>) => void
  now?: () => number
}

/** Creates a log whose memory and pace are bounded: what comes faster is counted only. */
export function createQueryLog({ insert, warn, now = Date.now }: QueryLogOptions): QueryLog {
  let held: string[] = []
  let counts = new Map<string, number>()
  let leftOut = 0
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> = Promise.resolve()
  let closed = false

  function flush(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    if (leftOut > 0) warn({ msg: 'queries left out of the query log', count: leftOut })
    const rows = held
    held = []
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
      const own = counts.get(query.user) ?? 0
      if (held.length >= MAX_HELD || own >= MAX_HELD / 2) leftOut++
      else {
        counts.set(query.user, own + 1)
        held.push(`${JSON.stringify(rowOf(query, now()))}\n`)
      }
      timer ??= setTimeout(flush, FLUSH_MS).unref()
    },
    close() {
      closed = true
      return flush()
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
    current_database: query.database,
    query: query.query,
    query_kind: query.verb.charAt(0) + query.verb.slice(1).toLowerCase(),
    user: query.user,
    query_id: query.queryId.slice(0, MAX_ID),
    http_user_agent: query.userAgent.slice(0, MAX_USER_AGENT),
    exception_code: query.exceptionCode,
  }
}

import type { EngineConnection } from '../engine/connections/engine-connection.js'

/** Database of the log: none of the pipeline's, and no user may write to it. */
export const LOG_DATABASE = 'slotstream_log'
const LOG_TABLE = 'query_log'
/** Days that rows are kept. */
const KEPT_DAYS = 7

/** Prefix of every connection's name; one that reads for a user has the user's name behind it. */
const READER_MARK = ' reads for '
/** Reads for all users. No user has this name. */
export const EVERY_READER = '*'

/** Names of columns are those of ClickHouse's own `system.query_log`. */
const COLUMNS = `
  type Enum8('QueryFinish' = 2, 'ExceptionBeforeStart' = 3, 'ExceptionWhileProcessing' = 4)
    COMMENT 'How the query ended: before its start where it was rejected, or did not begin.',
  event_date Date DEFAULT toDate(event_time) COMMENT 'Day of event_time.',
  event_time DateTime64(3) COMMENT 'When the query ended.',
  query_duration_ms UInt64 COMMENT 'From the request until the end of the answer, in milliseconds.',
  result_rows UInt64 COMMENT 'Rows of the result; 0 where the query failed.',
  result_bytes UInt64 COMMENT 'Bytes of the result in its format, before compression.',
  written_rows UInt64 COMMENT 'Rows that an INSERT … FORMAT has written.',
  current_database LowCardinality(String) COMMENT 'Database of names without one.',
  query String COMMENT 'The statement with ? in the place of every literal; <unreadable> where the parser rejected it.',
  normalized_query_hash UInt64 MATERIALIZED cityHash64(query) COMMENT 'The same for all statements of one shape.',
  query_kind LowCardinality(String) COMMENT 'First keyword, such as Select.',
  user LowCardinality(String) COMMENT 'Who sent it.',
  query_id String COMMENT 'As in the header X-ClickHouse-Query-Id, 64 characters at most.',
  http_user_agent LowCardinality(String) COMMENT 'The client, 200 characters at most.',
  exception_code Int32 COMMENT 'Code of the error; 0 where there is none.'`

/** Creates the log's table. */
export async function createLogTable(connection: EngineConnection): Promise<void> {
  await connection.queryAsync(`CREATE DATABASE IF NOT EXISTS ${LOG_DATABASE}`)
  await connection.queryAsync(
    `CREATE TABLE IF NOT EXISTS ${LOG_DATABASE}.${LOG_TABLE} (${COLUMNS}) ENGINE = MergeTree PARTITION BY event_date
     ORDER BY event_time TTL event_date + INTERVAL ${KEPT_DAYS} DAY SETTINGS ttl_only_drop_parts = 1
     COMMENT 'Queries of analysts and builders of the last ${KEPT_DAYS} days: a user sees its own, slotstream all'`,
  )
}

/** The statement that inserts rows of the log, of JSONEachRow. */
export const INSERT_LOG = `INSERT INTO ${LOG_DATABASE}.${LOG_TABLE} FORMAT JSONEachRow`

/** Returns the name of a connection whose statements read the log for a user; without one they find no rows in it. */
export function connectionName(id: string, reader: string | undefined): string {
  return reader === undefined ? id : `${id}${READER_MARK}${reader}`
}

/**
 * The engine's own policy for rows of the log, whatever statement reads them: those of the user whom the connection
 * reads for. The name of a connection is a setting that no client can set.
 */
export const LOG_POLICY = {
  database: LOG_DATABASE,
  table: LOG_TABLE,
  filter: `splitByString('${READER_MARK}', getSetting('log_comment'))[2] IN ('${EVERY_READER}', user)`,
}

/** Tells whether a statement may read the log, so that its connection has to name the reader. */
export function mayReadLog(sql: string, database: string): boolean {
  return database === LOG_DATABASE || sql.includes(LOG_DATABASE)
}

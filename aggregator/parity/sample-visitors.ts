import type { ClickHouseClient } from '@clickhouse/client'
import { visitorKeySql } from '@slotstream/protocol'

/** Browsers of one user that are looked at: more than a profile links. */
const MAX_BROWSERS = 200

/** All visitors of a site that the tables know: those of messages, and those of whom a profile was stored. */
const VISITORS = `(
  SELECT ${visitorKeySql()} AS visitor FROM slotstream.events WHERE site_id = {site:String}
  UNION ALL
  SELECT visitor_id AS visitor FROM slotstream.profile_versions FINAL WHERE site_id = {site:String} AND NOT deleted
)`

/**
 * Draws visitors of a site, the same ones for the same salt and visitors: by a hash, so that each day's are others.
 *
 * @param salt such as the date
 * @param count at most
 * @returns keys, see `visitorIdOf`
 */
export async function sampleVisitors(
  clickhouse: ClickHouseClient,
  site: string,
  salt: string,
  count: number,
): Promise<string[]> {
  const all = await rowsOf<{ n: string }>(clickhouse, `SELECT uniq(visitor) AS n FROM ${VISITORS}`, { site })
  // Of millions of visitors only a few times as many as are wanted have to be held in memory.
  const share = Math.max(1, Math.floor(Number(all[0]?.n ?? 0) / (4 * count)))
  const rows = await rowsOf<{ visitor: string }>(
    clickhouse,
    `SELECT DISTINCT visitor FROM ${VISITORS}
     WHERE visitor != '' AND sipHash64({salt:String}, visitor) % {share:UInt64} = 0
     ORDER BY sipHash64({salt:String}, visitor), visitor LIMIT {count:UInt64}`,
    { site, salt, share, count },
  )
  return rows.map(({ visitor }) => visitor)
}

/** A browser and a user that a message named together. */
export interface NamedTogether {
  anonymousId: string
  userId: string
}

/** Browsers that a row names: the one that sent it, and that of an alias. */
const BROWSERS = `[anonymous_id, if(type = 'alias', previous_id, '')]`

/** Finds the users whom some browsers named, and all browsers that named one of these users, or of the given ones. */
export async function namedTogether(
  clickhouse: ClickHouseClient,
  site: string,
  anonymousIds: readonly string[],
  userIds: readonly string[],
): Promise<NamedTogether[]> {
  return rowsOf<NamedTogether>(
    clickhouse,
    `SELECT anonymousId, user_id AS userId FROM slotstream.events ARRAY JOIN ${BROWSERS} AS anonymousId
     WHERE site_id = {site:String} AND anonymousId != '' AND user_id != '' AND sender != 'unsigned'
       AND (has({users:Array(String)}, user_id) OR user_id IN (
         SELECT user_id FROM slotstream.events
         WHERE site_id = {site:String} AND hasAny(${BROWSERS}, {browsers:Array(String)}) AND user_id != '' AND sender != 'unsigned'
       ))
     GROUP BY anonymousId, user_id ORDER BY min(timestamp) LIMIT ${MAX_BROWSERS} BY user_id`,
    { site, users: userIds, browsers: anonymousIds },
  )
}

async function rowsOf<Row>(
  clickhouse: ClickHouseClient,
  query: string,
  query_params: Record<string, unknown>,
): Promise<Row[]> {
  return (await clickhouse.query({ query, query_params, format: 'JSONEachRow' })).json<Row>()
}

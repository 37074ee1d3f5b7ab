import type { Candidate } from './candidates.js'
import type { ClickHouse } from './clickhouse.js'

/** Times that the table can hold, in milliseconds since the epoch. */
const [FIRST, LAST] = [0, Date.UTC(2299, 11, 31)]

/**
 * Returns those of the messages that are in `events`: by visitor, sender and id, as a message is told apart everywhere.
 */
export async function storedAlready(
  clickhouse: ClickHouse,
  siteId: string,
  candidates: Candidate[],
): Promise<Set<Candidate>> {
  if (candidates.length === 0) return new Set()
  const times = candidates.map(({ time }) => Math.min(Math.max(time, FIRST), LAST))
  const rows = await clickhouse.rows<{ message_id: string; anonymous_id: string; user_id: string; sender: string }>(
    // The period first: the table is ordered by it.
    `SELECT DISTINCT message_id, anonymous_id, user_id, sender FROM slotstream.events
     WHERE site_id = {site:String} AND original_timestamp >= fromUnixTimestamp64Milli({first:Int64})
       AND original_timestamp <= fromUnixTimestamp64Milli({last:Int64})
       AND has(JSONExtract({ids:String}, 'Array(String)'), message_id)`,
    {
      site: siteId,
      first: Math.min(...times),
      last: Math.max(...times),
      ids: JSON.stringify(candidates.map(({ messageId }) => messageId)),
    },
  )
  const stored = new Set(rows.map(row => keyOf(row.sender, row.message_id, row.anonymous_id, row.user_id)))
  return new Set(
    candidates.filter(({ sender, messageId, visitor }) => stored.has(keyOf(sender, messageId, ...visitor))),
  )
}

/** Returns the key of a browser, or the person where a server names only that. */
function keyOf(sender: string, messageId: string, anonymousId: string, userId: string): string {
  return JSON.stringify(anonymousId ? [sender, messageId, anonymousId] : [sender, messageId, '', userId])
}

import type { ClickHouseClient } from '@clickhouse/client'
import { type IdentityChange, isIdentityChange } from '@slotstream/protocol'

/** A decision about a browser and a user of a site. */
export interface DecidedLink {
  siteId: string
  change: IdentityChange
}

/**
 * Reads the latest decision about each browser and user: the stream may have it no longer.
 *
 * @param site default: those of all sites
 */
export async function* decidedLinks(clickhouse: ClickHouseClient, site = ''): AsyncGenerator<DecidedLink> {
  const result = await clickhouse.query({
    query: `SELECT site_id, anonymous_id, user_id,
              argMax((toString(state), cause, toUnixTimestamp64Milli(decided_at)), (decided_at, stream_seq, batch_index)) AS latest
            FROM slotstream.identity_decisions WHERE {site:String} IN ('', site_id) GROUP BY site_id, anonymous_id, user_id`,
    query_params: { site },
    format: 'JSONCompactEachRow',
  })
  for await (const rows of result.stream<[string, string, string, [string, string, string | number]]>())
    for (const row of rows) {
      const [siteId, anonymousId, userId, [state, cause, at]] = row.json()
      const change: unknown = { anonymousId, userId, decision: { state, cause, at: Number(at) } }
      // What is none of the states was written by hand.
      if (isIdentityChange(change)) yield { siteId, change: change as IdentityChange }
    }
}

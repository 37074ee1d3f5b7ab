import type { ClickHouseClient } from '@clickhouse/client'

/** Bytes of session ids in one statement, which may have 256 KB. */
const IDS_BYTES = 100_000

/**
 * Makes the rows of sessions anew from the messages that are left of them: others may have used the same browser.
 * Messages that arrive meanwhile are in the rows once, however often they are read.
 */
export async function restoreSessions(
  clickhouse: ClickHouseClient,
  siteId: string,
  sessionIds: string[],
): Promise<void> {
  const result = await clickhouse.query({
    query: `SELECT as_select AS query FROM system.tables WHERE database = 'slotstream' AND name = 'session_states_of_events'`,
    format: 'JSONEachRow',
  })
  const [view] = await result.json<{ query: string }>()
  if (!view) throw new Error('the view slotstream.session_states_of_events is missing: its sessions cannot be restored')
  const described = await clickhouse.query({ query: `DESCRIBE TABLE (${view.query})`, format: 'JSONEachRow' })
  const columns = (await described.json<{ name: string }>()).map(({ name }) => `\`${name}\``).join(', ')
  for (const ids of literalsOf(sessionIds))
    await clickhouse.command({
      query: `INSERT INTO slotstream.session_states (${columns}) SELECT ${columns} FROM (${view.query})
              WHERE site_id = {siteId:String} AND session_id IN (${ids.join(', ')})`,
      query_params: { siteId },
      clickhouse_settings: { insert_deduplicate: 0 },
    })
}

/** Writes ids as SQL literals, in portions: parameters would be part of the request's address. */
export function* literalsOf(sessionIds: string[]): Generator<string[]> {
  let portion: string[] = []
  let bytes = 0
  for (const id of sessionIds) {
    const literal = `'${id.replace(/['\\]/g, '\\$&')}'`
    portion.push(literal)
    bytes += Buffer.byteLength(literal)
    if (bytes < IDS_BYTES) continue
    yield portion
    portion = []
    bytes = 0
  }
  if (portion.length > 0) yield portion
}

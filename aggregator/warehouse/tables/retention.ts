import type { ClickHouseClient } from '@clickhouse/client'
import type { KV } from '@nats-io/kv'
import { RETAINED_TABLES, type RetainedTable, type Retention } from '@slotstream/protocol'
import { type Log, type Nats, repeat } from '@slotstream/runtime'
import { watchSites } from '../../watch-sites.js'

/** Time between two looks at whether the tables keep what the sites want, in milliseconds. */
const EVERY_MS = 10_000

/** The tables of each kind of row, with those derived from them, and the column of the time that they are kept from. */
const TABLES: Record<RetainedTable, { tables: string[]; since: string }> = {
  events: {
    tables: [
      ...['events', 'identifications', 'money_events', 'page_reports', 'session_states', 'sessionless_events'],
      'slot_responses',
    ],
    since: 'received_at',
  },
  decisions: { tables: ['decisions', 'learning_outcomes'], since: 'received_at' },
  rejected_events: { tables: ['rejected_events'], since: 'received_at' },
  signals: { tables: ['detected_signals', 'webhook_deliveries'], since: 'received_at' },
  // Who is in a segment stays.
  segment_members: { tables: ['segment_intervals'], since: `ifNull(left_at, toDateTime64('2100-01-01', 3, 'UTC'))` },
  profiles: { tables: ['profile_versions'], since: 'last_seen' },
}

/** Returns the TTL of a table, as SQL and in words for the table's comment; both '' when all is kept. Pure. */
export function ttlOf(table: RetainedTable, sites: ReadonlyMap<string, Retention>): { ttl: string; comment: string } {
  const byDays = new Map<number, string[]>()
  for (const [siteId, retention] of [...sites].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const days = retention[table]
    // Ids were checked where they came in; what else is in the bucket must not become SQL.
    if (days === undefined || !Number.isInteger(days) || !/^[a-z0-9-]+$/.test(siteId)) continue
    byDays.set(days, [...(byDays.get(days) ?? []), siteId])
  }
  const rules = [...byDays].sort(([a], [b]) => a - b)
  const { since } = TABLES[table]
  return {
    ttl: rules
      .map(([days, ids]) => {
        const list = ids.map(id => `'${id}'`).join(', ')
        return `toDateTime(${since}) + INTERVAL ${days} DAY DELETE WHERE site_id IN (${list})`
      })
      .join(', '),
    comment: rules.map(([days, ids]) => `keeps ${ids.join(', ')} for ${days} days`).join('; '),
  }
}

/**
 * Brings the tables' TTL to what the sites want. The comment says what a table was given, so that nothing is done
 * twice, in any process and after any restart.
 *
 * @param ddl rewrites a statement for a cluster
 * @returns tables that were changed
 */
export async function applyRetention(
  clickhouse: ClickHouseClient,
  sites: ReadonlyMap<string, Retention>,
  ddl: (sql: string) => string = sql => sql,
): Promise<string[]> {
  const result = await clickhouse.query({
    query: `SELECT name, comment, create_table_query LIKE '% TTL %' AS hasTtl FROM system.tables WHERE database = 'slotstream'`,
    format: 'JSONEachRow',
  })
  const rows = await result.json<{ name: string; comment: string; hasTtl: number }>()
  const tables = new Map(rows.map(row => [row.name, row]))
  const changed: string[] = []
  for (const name of RETAINED_TABLES) {
    const { ttl, comment } = ttlOf(name, sites)
    for (const table of TABLES[name].tables) {
      const current = tables.get(table)
      if (current?.comment === comment) continue
      const alter = (change: string) => clickhouse.command({ query: ddl(`ALTER TABLE slotstream.${table} ${change}`) })
      if (ttl) await alter(`MODIFY TTL ${ttl}`)
      else if (current?.hasTtl) await alter('REMOVE TTL')
      await alter(`MODIFY COMMENT '${comment}'`)
      changed.push(table)
    }
  }
  return changed
}

export interface RetentionDeps {
  nats: Nats
  sites: KV
  clickhouse: ClickHouseClient
  ddl: (sql: string) => string
  log: Log
  signal: AbortSignal
}

/** Keeps the tables' TTL as the sites want it until `signal` fires. */
export async function watchRetention({ nats, sites, clickhouse, ddl, log, signal }: RetentionDeps): Promise<void> {
  const retentions = new Map<string, Retention>()
  const watching = await watchSites(
    nats,
    sites,
    (siteId, site) => {
      const retention = site?.retention
      if (retention) retentions.set(siteId, retention)
      else retentions.delete(siteId)
    },
    log,
  )
  await repeat(
    async () => {
      const changed = await applyRetention(clickhouse, retentions, ddl)
      if (changed.length > 0) log.info({ tables: changed }, 'what the tables keep was changed')
    },
    EVERY_MS,
    signal,
    error => log.warn({ err: error }, 'what the tables keep could not be changed, trying again'),
  )
  watching.stop()
}

import type { ClickHouseClient } from '@clickhouse/client'

/** A table that materialized views fill from tables that are loaded from a stream. */
export interface DerivedTable {
  name: string
  feeds: Feed[]
}

/** One of the views: what it makes of the rows of `source`. */
export interface Feed {
  view: string
  source: string
  /** The view's SELECT. */
  select: string
}

/** A view, as ClickHouse describes it. */
export interface ViewDescription {
  view: string
  source: string
  create: string
  select: string
}

/**
 * Returns the derived tables of views, by name. Pure. Views that refresh by themselves, or keep a table of their own,
 * are left out.
 */
export function derivedTables(views: ViewDescription[]): DerivedTable[] {
  const tables = new Map<string, Feed[]>()
  for (const { view, source, create, select } of views) {
    const head = create.slice(0, create.indexOf(' AS SELECT') + 1 || create.length)
    const target = /\sTO\s+`?slotstream`?\.`?(\w+)`?/.exec(head)?.[1]
    if (!target || /\sREFRESH\s/.test(head)) continue
    tables.set(target, [...(tables.get(target) ?? []), { view, source, select }])
  }
  return [...tables].map(([name, feeds]) => ({ name, feeds })).sort((a, b) => a.name.localeCompare(b.name))
}

/**
 * Reads the views over some tables.
 *
 * @param sources tables that are loaded from a stream
 */
export async function readViews(clickhouse: ClickHouseClient, sources: string[]): Promise<ViewDescription[]> {
  const result = await clickhouse.query({
    query: `SELECT views.name AS view, sources.name AS source, views.create_table_query AS create, views.as_select AS select
            FROM (SELECT name, arrayJoin(dependencies_table) AS dependent FROM system.tables
                  WHERE database = 'slotstream' AND name IN {sources:Array(String)}) AS sources
            INNER JOIN (SELECT name, create_table_query, as_select FROM system.tables
                  WHERE database = 'slotstream' AND engine = 'MaterializedView') AS views
            ON views.name = sources.dependent`,
    query_params: { sources },
    format: 'JSONEachRow',
  })
  return result.json<ViewDescription>()
}

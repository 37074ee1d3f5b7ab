import type { ClickHouseClient } from '@clickhouse/client'
import type { DerivedTable, Feed } from '../derived-tables.js'

/** Positions read at a time: a bound on memory. */
const STEP = 2_000_000

/** The second copy of a derived table, which is filled beside the one that answers. */
export interface FreshTable {
  create(): Promise<void>
  /**
   * Fills in what the streams of a source have, each up to its end. What was read before isn't read again.
   *
   * @param ends position of the last to read of each stream, always in the same order
   * @param starts position before the first of each; needed the first time only
   * @returns how many positions the longest stretch of one stream had
   */
  readUpTo(source: string, ends: readonly number[], starts?: readonly number[]): Promise<number>
  /** Puts it in the place of the one that answers, under whose name it is found from then on. */
  exchange(): Promise<void>
  /** Removes it, or after `exchange` the one before, if it is there. */
  drop(): Promise<void>
}

/** Makes the second copy of a derived table known; `create` creates it. */
export function freshTable(clickhouse: ClickHouseClient, { name, feeds }: DerivedTable): FreshTable {
  const table = `slotstream.${name}`
  const fresh = `${table}_rebuild`
  /** Positions up to which the streams of each source have been read. */
  const watermarks = new Map<string, number[]>()
  const run = (query: string, settings: Record<string, string | number> = {}) =>
    clickhouse.command({ query, clickhouse_settings: settings })

  async function readPortion({ source, select }: Feed, after: number, through: number): Promise<void> {
    const columns = await commonColumns(clickhouse, table, select)
    await run(`INSERT INTO ${fresh} (${columns}) SELECT ${columns} FROM (${select})`, {
      additional_table_filters: `{'slotstream.${source}': 'stream_seq > ${after} AND stream_seq <= ${through}'}`,
      // Two portions may happen to be equal, and are not the same for that.
      insert_deduplicate: 0,
    })
  }

  return {
    create: async () => void (await run(`CREATE TABLE ${fresh} AS ${table}`)),

    async readUpTo(source, ends, starts = []) {
      const read = watermarks.get(source) ?? [...starts]
      watermarks.set(source, read)
      const lengths = ends.map((end, index) => end - read[index]!)
      for (const [index, end] of ends.entries())
        while (read[index]! < end) {
          const after = read[index]!
          const through = Math.min(end, after + STEP)
          for (const feed of feeds) if (feed.source === source) await readPortion(feed, after, through)
          read[index] = through
        }
      return Math.max(0, ...lengths)
    },

    exchange: async () => void (await run(`EXCHANGE TABLES ${table} AND ${fresh}`)),
    drop: async () => void (await run(`DROP TABLE IF EXISTS ${fresh} SYNC`)),
  }
}

/** Returns the columns of a table that a view fills, by name: those that the table doesn't have are left out. */
async function commonColumns(clickhouse: ClickHouseClient, table: string, select: string): Promise<string> {
  const tableColumns = new Set(await columnNames(clickhouse, table))
  return (await columnNames(clickhouse, `(${select})`))
    .filter(column => tableColumns.has(column))
    .map(column => `\`${column}\``)
    .join(', ')
}

async function columnNames(clickhouse: ClickHouseClient, table: string): Promise<string[]> {
  const result = await clickhouse.query({ query: `DESCRIBE TABLE ${table}`, format: 'JSONEachRow' })
  return (await result.json<{ name: string }>()).map(column => column.name)
}

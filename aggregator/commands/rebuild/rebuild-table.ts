import type { ClickHouseClient } from '@clickhouse/client'
import { pause } from '@slotstream/runtime'
import type { DerivedTable, Feed } from './derived-tables.js'
import { closeGate, GATE_SECONDS, type LoaderPosition, openGate, removeSink } from './gate.js'

/** While more than this is still to be read, in positions, it is read with the gate open. */
const NEARLY_THERE = 20_000

/** Positions read at a time: a bound on memory. */
const STEP = 2_000_000

/** How long the last block before the gate may take, in milliseconds. The gate opens by itself somewhat later. */
const LAST_BLOCK_MS = 12_000

/** A table that is loaded from a stream, as a rebuild sees it. */
export interface Source {
  /** Of every stream that is loaded into it, always in the same order. */
  position: () => Promise<LoaderPosition[]>
  /** Makes every loader announce a block after the last one, by a message without content. */
  nudge: () => Promise<void>
}

/**
 * Computes a derived table anew from its sources and puts it in the place of the old one. While that goes on, rows keep
 * arriving and the old table answers. Nothing is counted twice or missed:
 *
 * 1. Everything up to a position is read into a second table, and again what came meanwhile, until little is left.
 * 2. Loading is held between two blocks (see `closeGate`), the rest is read, and the tables are exchanged. The views
 *    find their table by its name, so every block after that goes into the new one.
 *
 * @param sources by table name
 * @returns for how long loading was held, in milliseconds
 */
export async function rebuildTable(
  clickhouse: ClickHouseClient,
  { name, feeds }: DerivedTable,
  sources: ReadonlyMap<string, Source>,
): Promise<number> {
  const fresh = `slotstream.${name}_rebuild`
  const run = (query: string, settings: Record<string, string | number> = {}) =>
    clickhouse.command({ query, clickhouse_settings: settings })
  const names = [...new Set(feeds.map(({ source }) => source))]
  /** Of each source, up to where each of its streams has been read. */
  const done = new Map<string, number[]>()

  await removeLeftovers()
  await run(`CREATE TABLE ${fresh} AS slotstream.${name}`)
  try {
    for (const source of names)
      for (;;) {
        const positions = await sourceOf(source).position()
        if (!done.has(source))
          done.set(
            source,
            positions.map(({ base }) => base),
          )
        const before = [...done.get(source)!]
        await readUpTo(
          source,
          positions.map(({ complete }) => complete),
        )
        if (positions.every(({ complete }, index) => complete - before[index]! < NEARLY_THERE)) break
      }
    return await switchTables()
  } finally {
    await removeLeftovers()
  }

  async function switchTables(): Promise<number> {
    const began = Date.now()
    for (const source of names) {
      const last = await closeGate(clickhouse, source, sourceOf(source).position)
      await waitFor(source, last)
      await readUpTo(source, last)
    }
    if (Date.now() - began > (GATE_SECONDS * 1000) / 2)
      throw new Error(`reading the last rows for ${name} took too long, nothing was changed: try again`)
    await run(`EXCHANGE TABLES slotstream.${name} AND ${fresh}`)
    for (const source of names) await openGate(clickhouse, source)
    return Date.now() - began
  }

  async function waitFor(source: string, last: number[]): Promise<void> {
    const { position, nudge } = sourceOf(source)
    const until = Date.now() + LAST_BLOCK_MS
    const isComplete = async () => (await position()).every(({ complete }, index) => complete >= last[index]!)
    if (!(await isComplete())) await nudge()
    while (!(await isComplete())) {
      if (Date.now() > until)
        throw new Error(`${source} is not being loaded, nothing was changed: start the warehouse role and try again`)
      await pause(20)
    }
  }

  async function readUpTo(source: string, last: number[]): Promise<void> {
    const read = done.get(source)!
    for (const [index, end] of last.entries())
      while (read[index]! < end) {
        const after = read[index]!
        const through = Math.min(end, after + STEP)
        for (const feed of feeds) if (feed.source === source) await readPortion(feed, after, through)
        read[index] = through
      }
  }

  async function readPortion({ source, select }: Feed, after: number, through: number): Promise<void> {
    const columns = await columnsOf(select)
    await run(`INSERT INTO ${fresh} (${columns}) SELECT ${columns} FROM (${select})`, {
      additional_table_filters: `{'slotstream.${source}': 'stream_seq > ${after} AND stream_seq <= ${through}'}`,
      // Two portions may happen to be equal, and are not the same for that.
      insert_deduplicate: 0,
    })
  }

  /** A view fills columns by name; those its table doesn't have are left out. */
  async function columnsOf(select: string): Promise<string> {
    const known = new Set(await columnNames(`slotstream.${name}`))
    return (await columnNames(`(${select})`))
      .filter(column => known.has(column))
      .map(column => `\`${column}\``)
      .join(', ')
  }

  async function columnNames(table: string): Promise<string[]> {
    const result = await clickhouse.query({ query: `DESCRIBE TABLE ${table}`, format: 'JSONEachRow' })
    return (await result.json<{ name: string }>()).map(column => column.name)
  }

  async function removeLeftovers(): Promise<void> {
    for (const source of names) await openGate(clickhouse, source)
    await removeSink(clickhouse)
    await run(`DROP TABLE IF EXISTS ${fresh} SYNC`)
  }

  function sourceOf(source: string): Source {
    const found = sources.get(source)
    if (!found) throw new Error(`${name} is made of ${source}, which is not loaded from a stream`)
    return found
  }
}

import type { ClickHouseClient } from '@clickhouse/client'
import { pause } from '@slotstream/runtime'
import type { DerivedTable } from './derived-tables.js'
import { type FreshTable, freshTable } from './tables/fresh-table.js'
import { BARRIER_SECONDS, closeBarrier, type LoaderPosition, openBarrier, removeSink } from './write-barrier.js'

/** While more than this is still to be read, in positions, it is read with the barrier open. */
const NEARLY_THERE = 20_000

/**
 * Time that the last block before the barrier may take, in milliseconds. The barrier opens by itself somewhat later.
 */
const LAST_BLOCK_MS = 12_000

/** A table that is loaded from a stream, as a rebuild sees it. */
export interface Source {
  /** Reads the position of every stream that is loaded into it, always in the same order. */
  position: () => Promise<LoaderPosition[]>
  /** Makes every loader announce a block after the last one, by a message without content. */
  nudge: () => Promise<void>
}

/**
 * Computes a derived table again from its sources and puts it in the place of the old one. While that goes on, rows
 * keep arriving and the old table answers. Nothing is counted twice or missed:
 *
 * 1. Everything up to a position is read into a second table, and again what came meanwhile, until little is left.
 * 2. Loading is held between two blocks (see `closeBarrier`), the rest is read, and the tables are exchanged. The views
 *    find their table by its name, so every block after that goes into the new one.
 *
 * @param sources by table name
 * @returns for how long loading was held, in milliseconds
 */
export async function rebuildTable(
  clickhouse: ClickHouseClient,
  table: DerivedTable,
  sources: ReadonlyMap<string, Source>,
): Promise<number> {
  const fresh = freshTable(clickhouse, table)
  const needed = new Map(table.feeds.map(({ source }) => [source, sourceOf(table.name, source, sources)]))

  await removeLeftovers()
  await fresh.create()
  try {
    for (const [name, source] of needed) await readWhileLoading(fresh, name, source)
    return await switchTables()
  } finally {
    await removeLeftovers()
  }

  async function switchTables(): Promise<number> {
    const began = Date.now()
    for (const [name, source] of needed) {
      const ends = await closeBarrier(clickhouse, name, source.position)
      await waitFor(name, source, ends)
      await fresh.readUpTo(name, ends)
    }
    if (Date.now() - began > (BARRIER_SECONDS * 1000) / 2)
      throw new Error(`reading the last rows for ${table.name} took too long, nothing was changed: try again`)
    await fresh.exchange()
    for (const name of needed.keys()) await openBarrier(clickhouse, name)
    return Date.now() - began
  }

  async function removeLeftovers(): Promise<void> {
    for (const name of needed.keys()) await openBarrier(clickhouse, name)
    await removeSink(clickhouse)
    await fresh.drop()
  }
}

/** Reads what a source has, and what comes meanwhile, until little is left. */
async function readWhileLoading(fresh: FreshTable, name: string, { position }: Source): Promise<void> {
  for (;;) {
    const positions = await position()
    const starts = positions.map(({ base }) => base)
    const ends = positions.map(({ complete }) => complete)
    if ((await fresh.readUpTo(name, ends, starts)) < NEARLY_THERE) return
  }
}

/** Waits until everything up to the ends of its streams is in the source. */
async function waitFor(name: string, { position, nudge }: Source, ends: readonly number[]): Promise<void> {
  const until = Date.now() + LAST_BLOCK_MS
  const isComplete = async () => (await position()).every(({ complete }, index) => complete >= ends[index]!)
  if (!(await isComplete())) await nudge()
  while (!(await isComplete())) {
    if (Date.now() > until)
      throw new Error(`${name} is not being loaded, nothing was changed: start the warehouse role and try again`)
    await pause(20)
  }
}

function sourceOf(table: string, name: string, sources: ReadonlyMap<string, Source>): Source {
  const source = sources.get(name)
  if (!source) throw new Error(`${table} is made of ${name}, which is not loaded from a stream`)
  return source
}

import { readdir } from 'node:fs/promises'
import type { BenchOptions } from '../options.js'
import { type Pieces, startPieces } from '../pipeline/pieces.js'
import { machineClock } from '../support/open-loop.js'
import { percentile } from '../support/percentile.js'
import { progressOf } from '../support/progress.js'
import { markdownTable, milliseconds, whole } from '../support/table.js'
import { QUERIES } from './cookbook.js'
import { filledSites } from './fill.js'
import { fillSites } from './fill-sites.js'
import { createStatements, LAYOUTS } from './layouts.js'
import { reportPeriod } from './report-period.js'

const done = progressOf('queries')

/** Rounds over all layouts and queries; the median counts. */
const ROUNDS = 7

/** More are not copied into other layouts: each takes as much of the disk. */
const MAX_ROWS_OF_LAYOUTS = 5_000_000

/** Late copies in one look-up of the loader: a laptop that was closed for five days. */
const CHOSEN = 200

const READY_POLL_MS = 100

/** Or the second round would know which parts of the table hold what it asks for. */
const AS_IF_NEW = { use_query_condition_cache: 0 } as const

interface Run {
  ms: number
  rows: number
  bytes: number
}

/** Measures what analysts' queries cost over the same events in several layouts, and what the layouts cost. */
export async function benchQueries({ rows }: BenchOptions): Promise<string> {
  const pieces = await startPieces()
  try {
    await migrated(pieces)
    const run = (query: string) => pieces.clickhouse.command({ query })
    await fillSites(pieces, rows, rows <= MAX_ROWS_OF_LAYOUTS)
    await run(
      'CREATE TABLE slotstream.chosen ENGINE = Memory AS SELECT anonymous_id, original_timestamp, message_id ' +
        `FROM slotstream.events WHERE original_timestamp > now() - INTERVAL 5 DAY ORDER BY original_timestamp LIMIT ${CHOSEN}`,
    )
    done(`${whole(rows)} events made`)
    const period = await reportPeriod(pieces, filledSites(rows))
    done('a week asked for')
    if (rows > MAX_ROWS_OF_LAYOUTS) return period

    const costs: { secondsToFill: number; bytes: number }[] = []
    for (const [index, layout] of LAYOUTS.entries()) {
      const table = tableOf(index)
      for (const statement of createStatements(table, layout)) await run(statement)
      const begun = machineClock.now()
      await run(`INSERT INTO ${table} SELECT * FROM slotstream.events`)
      const secondsToFill = (machineClock.now() - begun) / 1000
      await run(`OPTIMIZE TABLE ${table} FINAL`)
      costs.push({ secondsToFill, bytes: await bytesOf(pieces, table) })
      done(`${layout.name}: filled`)
    }

    const runs = LAYOUTS.map(() => Object.fromEntries(Object.keys(QUERIES).map(name => [name, [] as Run[]])))
    for (let round = 0; round < ROUNDS; round++)
      for (const index of LAYOUTS.keys()) {
        // The views read what is called events.
        const exchange = `EXCHANGE TABLES slotstream.events AND ${tableOf(index)}`
        await run(exchange)
        for (const [name, query] of Object.entries(QUERIES)) runs[index]![name]!.push(await time(pieces, query))
        await run(exchange)
      }
    return `${report(rows, costs, runs)}\n\n${period}`
  } finally {
    await pieces.stop()
  }
}

const tableOf = (index: number) => `slotstream.layout_${index}`

const MIGRATIONS = new URL('../../../aggregator/warehouse/migrations/', import.meta.url)

/** Runs the warehouse until it has created the tables. */
async function migrated(pieces: Pieces): Promise<void> {
  const { length } = (await readdir(MIGRATIONS)).filter(file => file.endsWith('.sql'))
  const stop = await pieces.aggregator('warehouse')
  const done = () =>
    pieces.rows<{ n: string }>('SELECT uniqExact(version) AS n FROM slotstream.migrations').catch(() => [])
  while (Number((await done())[0]?.n ?? 0) < length) await machineClock.sleep(READY_POLL_MS)
  await stop()
}

async function time({ clickhouse }: Pieces, query: string): Promise<Run> {
  const begun = machineClock.now()
  const result = await (await clickhouse.query({ query, format: 'JSON', clickhouse_settings: AS_IF_NEW })).json()
  const ms = machineClock.now() - begun
  return { ms, rows: Number(result.statistics?.rows_read), bytes: Number(result.statistics?.bytes_read) }
}

async function bytesOf(pieces: Pieces, table: string): Promise<number> {
  const [row] = await pieces.rows<{ bytes: string }>(
    `SELECT sum(bytes_on_disk) AS bytes FROM system.parts WHERE active AND concat(database, '.', table) = '${table}'`,
  )
  return Number(row?.bytes)
}

function report(
  events: number,
  costs: { secondsToFill: number; bytes: number }[],
  runs: Record<string, Run[]>[],
): string {
  const median = (pick: (run: Run) => number) => (layout: Record<string, Run[]>, name: string) =>
    percentile(layout[name]!.map(pick), 0.5)
  const ratios = (value: (layout: Record<string, Run[]>, name: string) => number, name: string) =>
    runs.slice(1).map(layout => (value(layout, name) / value(runs[0]!, name)).toFixed(2))
  const [time, bytes, rows] = [median(run => run.ms), median(run => run.bytes), median(run => run.rows)]
  const names = Object.keys(QUERIES)
  const [base, ...others] = costs
  const compared = LAYOUTS.slice(1).map(({ name }) => name)
  return `## Queries over ${whole(events)} events of 60 days, in ${LAYOUTS.length} layouts of the table

Time, ${ROUNDS} rounds, medians; others as ratios to the layout in use:

${markdownTable(
  ['', 'in use, ms', ...compared],
  [
    ...names.map(name => [name, milliseconds(time(runs[0]!, name)), ...ratios(time, name)]),
    [
      'filling the table',
      whole(base!.secondsToFill * 1000),
      ...others.map(cost => (cost.secondsToFill / base!.secondsToFill).toFixed(2)),
    ],
    ['bytes on disk', whole(base!.bytes), ...others.map(cost => (cost.bytes / base!.bytes).toFixed(2))],
  ],
)}

Bytes read, uncompressed:

${markdownTable(
  ['', 'rows', 'in use, MB', ...compared],
  names.map(name => [
    name,
    whole(rows(runs[0]!, name)),
    (bytes(runs[0]!, name) / 1e6).toFixed(1),
    ...ratios(bytes, name),
  ]),
)}`
}

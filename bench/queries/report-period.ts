import type { Pieces } from '../pipeline/pieces.js'
import { machineClock } from '../support/open-loop.js'
import { percentile } from '../support/percentile.js'
import { markdownTable, milliseconds, whole } from '../support/table.js'
import type { FilledSite } from './fill.js'
import { periodQueries, rowsOfPeriod } from './period.js'

/** Rounds of each question; the median counts. */
const ROUNDS = 5

/** Memory that a question should get along with, in bytes. */
const MEMORY = 1_000_000_000

/** Or the second round would know which parts of the table hold what it asks for. */
const AS_IF_NEW = { use_query_condition_cache: 0 } as const

/** Time between two looks at the memory of a question, in milliseconds. */
const MEMORY_POLL_MS = 20

/**
 * Reports what questions about a week read of all that there is, how long they take, their memory, and whether 1 GB is
 * enough.
 */
export async function reportPeriod(pieces: Pieces, sites: FilledSite[]): Promise<string> {
  const sections: string[] = []
  for (const { siteId, ids, events } of sites) {
    const [period] = await pieces.rows<{ rows: string }>(rowsOfPeriod(siteId))
    const rows = Number(period?.rows)
    const lines: string[][] = []
    for (const [name, query] of Object.entries(periodQueries(siteId))) lines.push([name, ...(await ask(query, rows))])
    sections.push(`Questions about a week, which has ${whole(rows)} of ${whole(events)} events; session ids: ${ids}

${markdownTable(['', 'ms', 'rows read', '÷ rows of the week', 'MB at most', 'within 1 GB'], lines)}`)
  }
  return sections.join('\n\n')

  async function ask(query: string, rows: number): Promise<string[]> {
    const runs: { ms: number; read: number }[] = []
    for (let round = 0; round < ROUNDS; round++) runs.push(await time(query))
    const read = percentile(
      runs.map(run => run.read),
      0.5,
    )
    const ms = percentile(
      runs.map(run => run.ms),
      0.5,
    )
    const peak = await peakMemory(pieces, () => time(query))
    const isWithin = await time(query, { max_memory_usage: String(MEMORY) }).then(
      () => 'yes',
      () => 'no',
    )
    return [milliseconds(ms), whole(read), (read / rows).toFixed(2), whole(peak / 1e6), isWithin]
  }

  async function time(query: string, settings: Record<string, string> = {}): Promise<{ ms: number; read: number }> {
    const begun = machineClock.now()
    const clickhouse_settings = { ...AS_IF_NEW, ...settings }
    const result = await (await pieces.clickhouse.query({ query, format: 'JSON', clickhouse_settings })).json()
    return { ms: machineClock.now() - begun, read: Number(result.statistics?.rows_read) }
  }
}

/** Measures the most memory that is seen of any query while one runs, in bytes. */
async function peakMemory(pieces: Pieces, run: () => Promise<unknown>): Promise<number> {
  let running = true
  let peak = 0
  const ended = run().finally(() => {
    running = false
  })
  while (running) {
    const [seen] = await pieces.rows<{ bytes: string }>(
      "SELECT max(peak_memory_usage) AS bytes FROM system.processes WHERE query NOT LIKE '%system.processes%'",
    )
    peak = Math.max(peak, Number(seen?.bytes))
    await machineClock.sleep(MEMORY_POLL_MS)
  }
  await ended
  return peak
}

import type { Pieces } from '../pipeline/pieces.js'
import { machineClock } from '../support/open-loop.js'
import { percentile } from '../support/percentile.js'
import { markdownTable, milliseconds, whole } from '../support/table.js'
import type { FilledSite } from './fill.js'
import { periodQueries, rowsOfPeriod } from './period.js'

/** Rounds of each question; the median counts. */
const ROUNDS = 5

/** What a question should get along with, in bytes. */
const MEMORY = 1_000_000_000

/** Or the second round would know which parts of the table hold what it asks for. */
const AS_IF_NEW = { use_query_condition_cache: 0 } as const

/** What questions about a week read of all that there is, how long they take, and whether 1 GB of memory is enough. */
export async function reportPeriod(pieces: Pieces, sites: FilledSite[]): Promise<string> {
  const sections: string[] = []
  for (const { siteId, ids, events } of sites) {
    const [period] = await pieces.rows<{ rows: string }>(rowsOfPeriod(siteId))
    const rows = Number(period?.rows)
    const lines: string[][] = []
    for (const [name, query] of Object.entries(periodQueries(siteId))) lines.push([name, ...(await ask(query, rows))])
    sections.push(`Questions about a week, which has ${whole(rows)} of ${whole(events)} events; session ids: ${ids}

${markdownTable(['', 'ms', 'rows read', '÷ rows of the week', 'within 1 GB'], lines)}`)
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
    const isWithin = await time(query, { max_memory_usage: String(MEMORY) }).then(
      () => 'yes',
      () => 'no',
    )
    return [milliseconds(ms), whole(read), (read / rows).toFixed(2), isWithin]
  }

  async function time(query: string, settings: Record<string, string> = {}): Promise<{ ms: number; read: number }> {
    const begun = machineClock.now()
    const clickhouse_settings = { ...AS_IF_NEW, ...settings }
    const result = await (await pieces.clickhouse.query({ query, format: 'JSON', clickhouse_settings })).json()
    return { ms: machineClock.now() - begun, read: Number(result.statistics?.rows_read) }
  }
}

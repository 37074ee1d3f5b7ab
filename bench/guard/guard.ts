import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createGuard, openData } from '@slotstream/clickhouse'
import { percentile } from '../support/percentile.js'
import { markdownTable, milliseconds, whole } from '../support/table.js'

const ROUNDS = 7
const QUERIES_A_ROUND = 40
const ROWS = 1_000
const ANALYST = { role: 'analyst', databases: [] } as const

/** Returns a query of two kilobytes, as dashboards make them; each number makes another text. */
function queryOf(number: number): string {
  const columns = Array.from({ length: 42 }, (_, i) => `countIf(event = 'Product Viewed ${i}') AS c${i}`)
  return `SELECT ${columns.join(', ')} FROM slotstream.events WHERE site_id = 'demo' AND n > ${number}`
}

/**
 * Times a query of 2 KB with and without the look of the guard of the embedded ClickHouse, taking turns: the same texts
 * are run as they are, behind a look at a text that is new, and behind one that was seen before.
 */
export async function benchGuard(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'slotstream-bench-guard-'))
  const { connect } = await openData(folder)
  const connection = connect()
  const guard = await createGuard(connect)
  const run = (sql: string) => connection.queryAsync(sql, { format: 'TSV' })
  const look = (sql: string) => guard.check({ sql, database: 'default', parameters: [] }, ANALYST)
  await run('CREATE DATABASE slotstream')
  await run('CREATE TABLE slotstream.events (site_id String, event String, n UInt64) ENGINE = MergeTree ORDER BY n')
  await run(
    `INSERT INTO slotstream.events SELECT 'demo', concat('Product Viewed ', toString(number % 50)), number FROM numbers(${ROWS})`,
  )

  let next = 0
  const ways = {
    'without the guard': async (sql: string) => void (await run(sql)),
    'with it, a new text': async (sql: string) => void (await run((await look(`${sql} AND n != ${next++}`)).sql)),
    'with it, a text seen before': async (sql: string) => void (await run((await look(sql)).sql)),
  }
  const texts = Array.from({ length: QUERIES_A_ROUND }, (_, i) => queryOf(i))
  for (const sql of texts) await look(sql)
  const times = Object.fromEntries(Object.keys(ways).map(name => [name, [] as number[]]))
  for (let round = 0; round < ROUNDS; round++)
    for (const [name, way] of Object.entries(ways))
      for (const sql of texts) {
        const begun = performance.now()
        await way(sql)
        times[name]!.push(performance.now() - begun)
      }
  rmSync(folder, { recursive: true, force: true })

  const base = percentile(times['without the guard']!, 0.5)
  const rows = Object.entries(times).map(([name, list]) => {
    const median = percentile(list, 0.5)
    return [name, milliseconds(median), milliseconds(percentile(list, 0.99)), (median / base).toFixed(2)]
  })
  const title = `guard: a query of ${whole(Buffer.byteLength(queryOf(0)))} bytes over ${whole(ROWS)} rows, ${ROUNDS} rounds of ${QUERIES_A_ROUND}`
  return `${title}\n${markdownTable(['', 'p50 ms', 'p99 ms', '÷ without'], rows)}`
}

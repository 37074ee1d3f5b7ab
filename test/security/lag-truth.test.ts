import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PipelineStatus } from '#collector/admin/pipeline/merge.js'
import { freePorts } from '../support/free-ports.js'
import { type System, startSystem } from '../support/system.js'
import { until } from '../support/until.js'

type Status = PipelineStatus & { warnings: { what: string; todo: string }[] }

let system: System
let warehouseUrl: string
let sent = 0

beforeAll(async () => {
  const [port] = await freePorts(1)
  warehouseUrl = `http://127.0.0.1:${port}`
  system = await startSystem({ WAREHOUSE_PORT: String(port) })
})
afterAll(async () => {
  await system?.stop()
})

/** A statement of the user who may write. */
async function write(sql: string) {
  const response = await fetch(`${system.clickhouseUrl}/`, {
    method: 'POST',
    headers: { 'X-ClickHouse-User': 'slotstream', 'X-ClickHouse-Key': system.clickhousePassword() },
    body: sql,
  })
  if (!response.ok) throw new Error(await response.text())
}

async function send() {
  const messageId = `m${++sent}`
  const message = { messageId, type: 'track', event: 'Sent', anonymousId: messageId }
  const response = await fetch(`${system.collectorUrl}/v1/batch?writeKey=demo`, {
    method: 'POST',
    body: JSON.stringify({ batch: [message] }),
  })
  expect(response.status).toBe(200)
}

const read = () => system.admin('GET', '/pipeline') as Promise<Status>
const lagOf = (status: Status) => status.lags.find(lag => lag.role === 'warehouse' && lag.stream === 'EVENTS')

async function metric(name: string): Promise<number | undefined> {
  const text = await (await fetch(`${warehouseUrl}/metrics`)).text()
  const found = new RegExp(`^slotstream_${name}\\{[^}]*stream="EVENTS"[^}]*\\} (\\S+)$`, 'm').exec(text)?.[1]
  return found === undefined ? undefined : Number(found)
}

/** Everything that tells of the lag says that `count` messages wait, and at least one says why. */
async function lagIsTold(count: number, reason: RegExp) {
  await until('the lag is in the status', read, status => lagOf(status)?.messages === count, {
    timeoutMs: 60_000,
    everyMs: 500,
  })
  await until(
    'the status warns',
    read,
    ({ warnings }) =>
      warnings.some(({ what }) => /role warehouse fails at (EVENTS|clickhouse)/.test(what) && reason.test(what)),
    { timeoutMs: 60_000, everyMs: 500 },
  )
  await until(
    'the lag is a metric',
    () => metric('warehouse_lag_messages'),
    n => n === count,
    { timeoutMs: 60_000 },
  )
  expect(await metric('lag_messages')).toBe(count)
  expect(await metric('lag_seconds')).toBeGreaterThan(0)
}

async function allIsLoaded() {
  await until(
    'every event is a row',
    () =>
      system.query<{ n: number; ids: number }>(
        `SELECT count() AS n, uniqExact(message_id) AS ids FROM slotstream.events WHERE event = 'Sent'`,
      ),
    ([row]) => row!.n === sent && row!.ids === sent,
    { timeoutMs: 60_000, everyMs: 500 },
  )
  const status = await until(
    'nothing waits or fails',
    read,
    found => lagOf(found)?.messages === 0 && found.troubles.length === 0,
    { timeoutMs: 60_000, everyMs: 500 },
  )
  expect(status.warnings.filter(({ what }) => what.includes('fails at'))).toEqual([])
  expect((await metric('warehouse_consecutive_failures')) ?? 0).toBe(0)
}

describe('the lag of the warehouse', () => {
  it('counts what a broken view keeps out of the table, also after kills, and says why', async () => {
    await send()
    await allIsLoaded()
    await write(
      `CREATE MATERIALIZED VIEW slotstream.broken ENGINE = MergeTree ORDER BY n
       AS SELECT throwIf(1, 'this view is broken') AS n FROM slotstream.events`,
    )
    for (let i = 0; i < 3; i++) await send()
    await lagIsTold(3, /this view is broken/)
    expect(await metric('warehouse_consecutive_failures')).toBeGreaterThan(2)

    await system.kill('warehouse')
    await send()
    await lagIsTold(4, /this view is broken/)
    await system.kill('clickhouse')
    await send()
    await lagIsTold(5, /./)
    await until(
      'ClickHouse is back',
      () => system.query('SELECT 1'),
      () => true,
      { timeoutMs: 60_000 },
    )

    await write('DROP TABLE slotstream.broken')
    await allIsLoaded()
  })

  it('counts what waits while ClickHouse takes no inserts', async () => {
    await write('ALTER TABLE slotstream.events MODIFY SETTING parts_to_delay_insert = 1, parts_to_throw_insert = 1')
    await send()
    await send()
    await lagIsTold(2, /Too many parts/)
    await write('ALTER TABLE slotstream.events RESET SETTING parts_to_delay_insert, parts_to_throw_insert')
    await allIsLoaded()
  })

  it('counts what waits while no process can load, because ClickHouse does not answer', async () => {
    const clickhouse = await system.pidOf('clickhouse')
    process.kill(clickhouse, 'SIGSTOP')
    try {
      await system.kill('warehouse')
      await send()
      const status = await until('the lag is in the status', read, found => lagOf(found)?.messages === 1, {
        timeoutMs: 60_000,
        everyMs: 500,
      })
      expect(status.behind.map(({ role }) => role)).toContain('warehouse')
    } finally {
      process.kill(clickhouse, 'SIGCONT')
    }
    await allIsLoaded()
  })
})

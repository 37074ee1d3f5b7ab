import { connectNats, createLog } from '@slotstream/runtime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PipelineStatus } from '#collector/admin/pipeline/merge.js'
import { type System, startSystem } from '../support/system.js'
import { until } from '../support/until.js'

let system: System
const log = createLog('test')
log.level = 'silent'

beforeAll(async () => {
  system = await startSystem()
})
afterAll(async () => {
  await system?.stop()
})

type Status = PipelineStatus & { warnings: { what: string; todo: string }[] }
const read = () => system.admin('GET', '/pipeline') as Promise<Status>

async function send(anonymousId: string, count: number) {
  const batch = Array.from({ length: count }, () => ({ type: 'track', event: 'Sent', anonymousId }))
  const response = await fetch(`${system.collectorUrl}/v1/batch?writeKey=demo`, {
    method: 'POST',
    body: JSON.stringify({ batch }),
  })
  expect(response.status).toBe(200)
}

describe('GET /v1/admin/pipeline', () => {
  it('has every process, every lag, streams, tables, and the visitor who is a server', async () => {
    await send('backend', 1_500)
    await send('v1', 10)
    const status = await until(
      'all is loaded and measured',
      read,
      ({ tables, behind, skew }) =>
        skew.messages >= 1_510 &&
        behind.every(({ messages }) => messages === 0) &&
        (tables.find(({ table }) => table === 'events')?.rows ?? 0) >= 1_510,
      { timeoutMs: 60_000, everyMs: 500 },
    )
    expect(status.processes.map(({ part, roles }) => [part, ...roles])).toEqual(
      expect.arrayContaining([
        ['collector'],
        ['aggregator', 'profiles', 'decisions'],
        ['aggregator', 'warehouse', 'webhooks', 'batch'],
      ]),
    )
    expect(status.lags.filter(({ role }) => role === 'profiles')).toHaveLength(status.partitions)
    expect(status.lags.filter(({ role }) => role === 'warehouse').map(({ stream }) => stream)).toContain('EVENTS')
    expect(status.streams.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['EVENTS', 'DECISIONS', 'SIGNALS', 'REJECTED', 'DEAD_LETTERS', 'KV_profiles']),
    )
    expect(status.warehouse.find(({ stream }) => stream === 'EVENTS')?.rows).toBeGreaterThanOrEqual(1_510)
    expect(status.warnings.map(({ what }) => what)).toEqual([
      expect.stringMatching(/^visitor backend of site demo sends \d\d % of all messages$/),
    ])
  })

  it('shows what waits while ClickHouse cannot be loaded, and a dead letter', async () => {
    const warehouse = await system.pidOf('warehouse')
    const clickhouse = await system.pidOf('clickhouse')
    process.kill(clickhouse, 'SIGSTOP')
    try {
      await send('v2', 5)
      const nats = await connectNats(system.natsUrl, 'test', log)
      await nats.js.publish('events.0', 'not JSON')
      await nats.close()
      const status = await until(
        'the lag shows',
        read,
        ({ behind, counts }) =>
          counts.deadLettersWaiting > 0 && behind.some(({ role, seconds }) => role === 'warehouse' && seconds > 3),
        { timeoutMs: 40_000, everyMs: 500 },
      )
      expect(status.behind.find(({ role }) => role === 'profiles')?.messages).toBe(0)
      expect(status.warnings.some(({ what }) => what.startsWith('dead letters wait'))).toBe(true)
    } finally {
      process.kill(clickhouse, 'SIGCONT')
    }
    expect(await system.pidOf('warehouse')).toBe(warehouse)
  })

  it('is a page for whoever asks for one, and nothing for whoever has no token', async () => {
    const ask = (headers: Record<string, string>) => fetch(`${system.collectorUrl}/v1/admin/pipeline`, { headers })
    const page = await ask({ Authorization: `Bearer ${system.adminToken}`, Accept: 'text/html,*/*;q=0.8' })
    expect(page.headers.get('content-type')).toContain('text/html')
    expect(await page.text()).toContain('<h2>Streams</h2>')
    expect((await ask({ Accept: 'text/html' })).status).toBe(401)
  })

  it('is in /metrics too', async () => {
    const text = await (await fetch(`${system.aggregatorUrl}/metrics`)).text()
    expect(text).toMatch(/slotstream_lag_messages\{role="profiles",stream="EVENTS",partition="0"\} 0/)
    expect(text).toMatch(/slotstream_hottest_visitor_share 0\.\d+/)
    expect(text).toMatch(/slotstream_dead_letters_waiting \d/)
  })
})

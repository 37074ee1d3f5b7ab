import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type System, startSystem } from '../support/system.js'
import { until } from '../support/until.js'

const PROGRAM = fileURLToPath(new URL('../../cli/dist/replay/main.js', import.meta.url))
const PRICE = (type: unknown) => ({ type: 'object', properties: { price: { type } }, required: ['price'] })

let system: System

beforeAll(async () => {
  system = await startSystem()
  await system.admin('PUT', '/sites/shop', { writeKeys: ['shop'] })
  await system.admin('PUT', '/sites/shop/plan', { mode: 'enforce', schemas: { Viewed: { '1-0-0': PRICE('number') } } })
})
afterAll(() => system?.stop())

async function send(batch: object[], sentAt?: string) {
  const response = await fetch(`${system.collectorUrl}/v1/batch?writeKey=shop`, {
    method: 'POST',
    headers: { 'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0' },
    body: JSON.stringify({ batch, sentAt }),
  })
  return (await response.json()) as { accepted: number; rejected: { code: string }[] }
}

function replay(...args: string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [PROGRAM, 'rejected', '--collector', system.collectorUrl, ...args], {
    env: { ...process.env, ADMIN_TOKEN: system.adminToken, CLICKHOUSE_URL: system.clickhouseUrl },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += String(chunk)))
  return new Promise(resolve => child.once('close', code => resolve({ code, output })))
}

const count = async (table: string) =>
  (await system.query<{ n: number }>(`SELECT count() AS n FROM slotstream.${table} WHERE site_id = 'shop'`))[0]!.n

const track = (anonymousId: string, price: unknown, rest: object = {}) => ({
  type: 'track',
  event: 'Viewed',
  anonymousId,
  properties: { price },
  ...rest,
})

/** Two hours ago by a clock that is an hour slow. */
const [TIMESTAMP, SENT_AT] = [new Date(Date.now() - 3 * 3_600_000), new Date(Date.now() - 3_600_000)].map(at =>
  at.toISOString(),
)

describe('rejected messages', () => {
  it('are kept with their place, and become events after the plan was corrected, once', async () => {
    const answer = await send(
      [
        track('v1', '1', { messageId: 'message-1', timestamp: TIMESTAMP }),
        track('v2', '2', { messageId: 'message-1' }),
        track('v1', '3'),
        track('v1', 4, { messageId: 'message-4' }),
        track('v1', { amount: 5 }, { messageId: 'message-5' }),
        track('v1', 'x'.repeat(33_000), { messageId: 'message-6' }),
      ],
      SENT_AT,
    )
    expect(answer.accepted).toBe(1)
    expect(answer.rejected.map(({ code }) => code)).toEqual([...Array(4).fill('schema_violation'), 'too_large'])
    await until(
      'they are rows',
      () => count('rejected_events'),
      n => n === 5,
    )
    expect(
      await system.query(
        `SELECT message_id, code, path, schema_version, reason FROM slotstream.rejected_events
         WHERE JSONExtractString(payload, 'anonymousId') = 'v2'`,
      ),
    ).toEqual([
      {
        message_id: 'message-1',
        code: 'schema_violation',
        path: '$.properties.price',
        schema_version: '1-0-0',
        reason: 'properties.price must be number, not string (Viewed, schema 1-0-0)',
      },
    ])

    const before = await replay('--site', 'shop')
    expect(before.code, before.output).toBe(0)
    expect(before.output).toContain('0 accepted now')
    expect(before.output).toContain('4 still rejected')

    const schemas = { Viewed: { '1-1-0': PRICE(['number', 'string']) } }
    await system.admin('PUT', '/sites/shop/plan', { schemas })
    expect((await replay('--site', 'shop', '--dry-run')).output).toContain('3 would be accepted now')
    await until(
      'message-4 is there',
      () => count('events'),
      n => n === 1,
    )

    const first = await replay('--site', 'shop')
    // At once, so that the first is perhaps not in the warehouse yet.
    const twin = await replay('--site', 'shop')
    for (const { code, output } of [first, twin]) expect(code, output).toBe(0)
    expect(first.output).toContain('5 rejected messages of the site shop')
    expect(first.output).toContain('3 accepted now')
    expect(first.output).toContain('1 not kept whole')
    expect(first.output).toMatch(
      /1 schema_violation, Viewed: properties\.price must be number or string, not object .* e\.g\. message-5/,
    )
    await until(
      'they are events',
      () => count('events'),
      n => n === 4,
    )

    const again = await replay('--site', 'shop')
    expect(again.output).toContain('0 accepted now')
    expect(again.output).toContain('3 in events already')
    expect(again.output).toContain('1 still rejected')
  })

  it('come as they would have come at once', async () => {
    const rows = await system.query<Record<string, unknown>>(
      `SELECT message_id, anonymous_id, properties.price::String AS price, original_timestamp, received_at, sent_at,
         dateDiff('second', original_timestamp, timestamp) AS corrected, context.browser.name::String AS browser
       FROM slotstream.events WHERE site_id = 'shop' AND message_id != 'message-4' ORDER BY price`,
    )
    const rejected = await system.query<{ received_at: string }>(
      'SELECT DISTINCT received_at FROM slotstream.rejected_events',
    )
    expect(rejected).toHaveLength(1)
    const [{ received_at }] = rejected as [{ received_at: string }]
    expect(rows.map(row => [row.anonymous_id, row.price])).toEqual([
      ['v1', '1'],
      ['v2', '2'],
      ['v1', '3'],
    ])
    for (const row of rows) expect(row).toMatchObject({ received_at, browser: 'Firefox' })
    expect(rows[0]).toMatchObject({ message_id: 'message-1' })
    // The clock was an hour slow, and the answer a moment away.
    expect(rows[0]!.corrected).toBeGreaterThanOrEqual(3_600)
    expect(rows[0]!.corrected).toBeLessThan(3_700)
    expect(rows[2]!.message_id).toMatch(/^[0-9a-f-]{36}$/)
    expect(rows[2]!.original_timestamp).toBe(received_at)
  })

  it('are not replayed of a site that there is not, and by a command line that says nothing', async () => {
    expect(await replay('--site', 'nobody')).toMatchObject({
      code: 1,
      output: expect.stringContaining('there is no site nobody'),
    })
    expect(await replay()).toMatchObject({ code: 1, output: expect.stringContaining('--site is missing') })
    expect((await replay('--site', 'shop', '--code', 'nonsense')).output).toContain('--code is "nonsense"')
    expect((await replay('--site', 'shop', '--code', 'too_deep')).output).toContain('no such rejected messages')
  })
})

import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchChromium } from '../support/chromium.js'
import { startGateway } from '../support/gateway.js'
import { startNatsServer } from '../support/nats-server.js'
import { type System, startSystem } from '../support/system.js'
import { until } from '../support/until.js'

type Track = { slotstream: { track(event: string, properties: object): void } }

let nats: Awaited<ReturnType<typeof startNatsServer>>
let system: System
let browser: Browser

beforeAll(async () => {
  // A NATS of the test's own, which the supervisor doesn't start again when the test takes it away.
  nats = await startNatsServer()
  system = await startSystem({ NATS_URL: nats.url })
  browser = await launchChromium()
})

afterAll(async () => {
  await browser?.close()
  await system?.stop()
  await nats?.stop()
})

const countOf = async (event: string) =>
  (
    await system.query<{ rows: number; ids: number }>(
      `SELECT count() AS rows, uniqExact(message_id) AS ids FROM slotstream.events WHERE event = '${event}'`,
    )
  )[0] ?? { rows: 0, ids: 0 }

describe('a page that cannot reach the collector', () => {
  it('keeps 50 events through two reloads without network, and delivers each once', async () => {
    const gateway = await startGateway(system.collectorUrl)
    const context = await browser.newContext()
    const page = await context.newPage()
    await page.goto(`${gateway.url}/demo/`)
    await page.waitForFunction(() => 'slotstream' in window)
    gateway.cut()
    await page.evaluate(() => {
      for (let i = 0; i < 50; i++) (window as unknown as Track).slotstream.track('Offline Event', { i })
    })
    await page.goto(`${gateway.url}/demo/cart.html`)
    await page.waitForFunction(() => 'slotstream' in window)
    await page.reload()
    await page.waitForFunction(() => 'slotstream' in window)
    await page.waitForTimeout(2_000)
    expect((await countOf('Offline Event')).rows).toBe(0)

    gateway.mend()
    const all = { rows: 50, ids: 50 }
    expect(
      await until(
        'all 50',
        () => countOf('Offline Event'),
        ({ rows }) => rows >= 50,
        { timeoutMs: 60_000 },
      ),
    ).toEqual(all)
    await page.waitForTimeout(2_000)
    expect(await countOf('Offline Event')).toEqual(all)
    await context.close()
    await gateway.stop()
  })

  it('is told 503 with Retry-After while JetStream is away, and delivers everything later', async () => {
    const context = await browser.newContext()
    const page = await context.newPage()
    await page.goto(`${system.collectorUrl}/demo/`)
    await page.waitForFunction(() => 'slotstream' in window)
    await nats.kill()

    const refused = page.waitForResponse(response => response.url().includes('/v1/batch') && response.status() === 503)
    await page.evaluate(() => {
      for (let i = 0; i < 30; i++) (window as unknown as Track).slotstream.track('While Away', { i })
    })
    const response = await refused
    expect(Number(response.headers()['retry-after'])).toBeGreaterThan(0)
    expect(await response.json()).toMatchObject({ error: { code: 'unavailable' } })
    expect((await countOf('While Away')).rows).toBe(0)

    await nats.start()
    expect(
      await until(
        'all 30',
        () => countOf('While Away'),
        ({ rows }) => rows >= 30,
        { timeoutMs: 60_000 },
      ),
    ).toEqual({ rows: 30, ids: 30 })
    await context.close()
  })

  it('sends again what was stored while its answer was lost, and ClickHouse has each once', async () => {
    const gateway = await startGateway(system.collectorUrl)
    const context = await browser.newContext()
    const page = await context.newPage()
    await page.goto(`${gateway.url}/demo/`)
    await page.waitForFunction(() => 'slotstream' in window)
    gateway.loseAnswer(2)
    await page.evaluate(() => {
      for (let i = 0; i < 40; i++) (window as unknown as Track).slotstream.track('Answer Lost', { i })
    })
    await until('two answers are lost', gateway.lost, lost => lost === 2)
    // A message that comes after them shows that they were sent again, and would have been stored again.
    await page.evaluate(() => (window as unknown as Track).slotstream.track('After It', {}))
    await until(
      'what came after',
      () => countOf('After It'),
      ({ rows }) => rows > 0,
      { timeoutMs: 60_000 },
    )
    expect(await countOf('Answer Lost')).toEqual({ rows: 40, ids: 40 })
    await context.close()
    await gateway.stop()
  })
})

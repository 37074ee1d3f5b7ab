import { readdir, readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { launchChromium } from '../support/chromium.js'
import { until } from '../support/until.js'

const EVENTS = 1_000

/** Without web vitals, whose observers stay until the page ends. */
const PAGE = '<!doctype html><script src="/sdk.js" data-write-key="demo" data-web-vitals="false"></script>'

let browser: Browser
let server: Server
const requests: { bytes: number; text: string; events: number }[] = []

beforeAll(async () => {
  const dist = new URL('../../sdk/dist/', import.meta.url)
  const scripts = new Map([['/sdk.js', await readFile(new URL('slotstream.js', dist))]])
  // The page loads the rest itself, each from a file of its own.
  for (const file of await readdir(dist))
    if (file.endsWith('.js')) scripts.set(`/sdk/${file}`, await readFile(new URL(file, dist)))
  server = createServer(async (request, response) => {
    if (request.method === 'GET') {
      const script = scripts.get(new URL(request.url ?? '/', 'http://page').pathname)
      response.setHeader('Content-Type', script ? 'text/javascript' : 'text/html')
      response.end(script ?? PAGE)
      return
    }
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    const text = (body[0] === 0x1f ? gunzipSync(body) : body).toString()
    const events = JSON.parse(text).batch.length
    requests.push({ bytes: body.length, text, events })
    response.setHeader('Content-Type', 'application/json')
    response.end(JSON.stringify({ success: true, accepted: events, rejected: [] }))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  browser = await launchChromium()
})

afterAll(async () => {
  await browser?.close()
  server?.closeAllConnections()
  server?.close()
})

const address = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`

it('delivers a thousand events in at most 15 requests and 55 KB, each batch within its limit', async () => {
  const page = await browser.newPage()
  await page.goto(address())
  await page.evaluate(`for (let i = 0; i < ${EVENTS}; i++)
    slotstream.track('Product Viewed', { product_id: 'sku-' + i, category: 'Shoes', price: 79.9, position: i })`)
  const tracked = () => requests.flatMap(({ text }) => text.match(/"event":"Product Viewed"/g) ?? []).length
  await until('all events', tracked, count => count === EVENTS, { timeoutMs: 60_000 })
  expect(requests.length).toBeLessThanOrEqual(15)
  expect(requests.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(55_000)
  expect(Math.max(...requests.map(({ text }) => text.length))).toBeLessThanOrEqual(60_000)
})

it('keeps no listener and no memory over 10,000 events and 200 navigations, and destroy leaves no listener', async () => {
  const page = await browser.newPage()
  const devtools = await page.context().newCDPSession(page)
  const metrics = async () => {
    await devtools.send('HeapProfiler.collectGarbage')
    const { metrics } = await devtools.send('Performance.getMetrics')
    return Object.fromEntries(metrics.map(({ name, value }) => [name, value])) as Record<
      'JSEventListeners' | 'JSHeapUsedSize',
      number
    >
  }
  const visit = (views: number) =>
    page.evaluate(`(async () => {
      for (let view = 0; view < ${views}; view++) {
        history.pushState(null, '', '/view-' + view)
        for (let i = 0; i < 49; i++) slotstream.track('Seen', { i })
        await slotstream.flush()
      }
    })()`)
  await devtools.send('Performance.enable')
  await page.route('**/empty', route => route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }))
  await page.goto(`${address()}empty`)
  const bare = await metrics()
  await page.goto(address())
  await visit(20)
  const before = await metrics()
  await visit(200)
  const after = await metrics()
  expect(after.JSEventListeners).toBe(before.JSEventListeners)
  expect(after.JSHeapUsedSize - before.JSHeapUsedSize).toBeLessThan(1_000_000)
  await page.evaluate('slotstream.destroy()')
  await until('no listeners', metrics, ({ JSEventListeners }) => JSEventListeners <= bare.JSEventListeners)
})

import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { launchChromium } from '../support/chromium.js'
import { until } from '../support/until.js'

const EVENTS = 1_000

let browser: Browser
let server: Server
const requests: { bytes: number; text: string; events: number }[] = []

beforeAll(async () => {
  const script = await readFile(new URL('../../sdk/dist/slotstream.js', import.meta.url))
  server = createServer(async (request, response) => {
    if (request.method === 'GET') {
      response.setHeader('Content-Type', request.url === '/sdk.js' ? 'text/javascript' : 'text/html')
      response.end(
        request.url === '/sdk.js' ? script : '<!doctype html><script src="/sdk.js" data-write-key="demo"></script>',
      )
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

it('delivers a thousand events in at most 15 requests and 55 KB, each batch within its limit', async () => {
  const page = await browser.newPage()
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  await page.evaluate(`for (let i = 0; i < ${EVENTS}; i++)
    slotstream.track('Product Viewed', { product_id: 'sku-' + i, category: 'Shoes', price: 79.9, position: i })`)
  const tracked = () => requests.flatMap(({ text }) => text.match(/"event":"Product Viewed"/g) ?? []).length
  await until('all events', tracked, count => count === EVENTS, { timeoutMs: 60_000 })
  expect(requests.length).toBeLessThanOrEqual(15)
  expect(requests.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(55_000)
  expect(Math.max(...requests.map(({ text }) => text.length))).toBeLessThanOrEqual(60_000)
})

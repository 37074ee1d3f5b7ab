import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { createMicro } from '@slotstream/collector'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { launchChromium } from '../support/chromium.js'
import { quietLog } from '../support/quiet-log.js'
import { until } from '../support/until.js'

const folder = '../../node_modules/@rudderstack/analytics-js/dist/npm/modern/bundled/umd/index.js'
const library = readFileSync(fileURLToPath(new URL(folder, import.meta.url)))
const PAGE = '<!doctype html><title>Shop</title><script src="/library.js"></script>'

const micro = createMicro({ sdkFile: '', log: quietLog() })
let website: Server
let browser: Browser
let collectorUrl: string

beforeAll(async () => {
  collectorUrl = `http://localhost:${await micro.listen(0, 'localhost')}`
  website = createServer((request, response) => {
    if (request.url === '/library.js') response.setHeader('Content-Type', 'text/javascript').end(library)
    else response.setHeader('Content-Type', 'text/html').end(PAGE)
  })
  await new Promise<void>(resolve => website.listen(0, 'localhost', resolve))
  browser = await launchChromium()
})

beforeEach(() => fetch(`${collectorUrl}/micro/reset`))

afterAll(async () => {
  await browser?.close()
  website?.closeAllConnections()
  website?.close()
  await micro.stop()
})

interface Rudder {
  load(writeKey: string, dataPlaneUrl: string, options: object): void
  page(name: string): void
  identify(userId: string, traits: object): void
  track(event: string, properties: object): void
}
interface Page extends Window {
  rudderanalytics: { RudderAnalytics: new () => Rudder }
}

const calls = [
  ['request by request, with its own headers', '/v1/track', {}],
  [
    'in batches by beacons',
    '/beacon/v1/batch',
    { useBeacon: true, beaconQueueOptions: { maxItems: 2, flushQueueInterval: 200 } },
  ],
] as const

it.each(calls)('@rudderstack/analytics-js delivers every call once: %s', async (_how, path, options) => {
  const context = await browser.newContext()
  const page = await context.newPage()
  const paths = new Set<string>()
  page.on('request', request => paths.add(new URL(request.url()).pathname))
  await page.goto(`http://localhost:${(website.address() as AddressInfo).port}/`)
  await page.evaluate(
    ([url, more]) => {
      const rudder = new (window as unknown as Page).rudderanalytics.RudderAnalytics()
      // Its settings, which RudderStack's own servers would hand out.
      const config = { statsCollection: { errors: { enabled: false }, metrics: { enabled: false } } }
      const ids = { id: 's', name: 's', workspaceId: 'w', writeKey: 'demo', enabled: true }
      const source = { ...ids, connections: [], destinations: [], dataplanes: {}, config }
      rudder.load('demo-write-key-of-27-letters', url, { getSourceConfig: () => ({ source }), plugins: [], ...more })
      rudder.page('Home')
      rudder.identify('u-1', { plan: 'pro' })
      for (let n = 0; n < 4; n++) rudder.track('Bought', { n, price: 12.5 })
    },
    [collectorUrl, options] as const,
  )
  const good = await until(
    'all calls are there',
    async () => (await (await fetch(`${collectorUrl}/micro/good`)).json()) as Record<string, never>[],
    messages => messages.length >= 6,
  )
  expect(await (await fetch(`${collectorUrl}/micro/bad`)).json()).toEqual([])
  expect(good).toHaveLength(6)
  const ofType = (type: string) => good.filter(message => message.type === type)
  expect(ofType('page')).toMatchObject([{ name: 'Home' }])
  expect(ofType('identify')).toMatchObject([{ userId: 'u-1', traits: { plan: 'pro' } }])
  expect(
    ofType('track')
      .map(({ properties }) => (properties as unknown as { n: number }).n)
      .toSorted(),
  ).toEqual([0, 1, 2, 3])
  expect(new Set(good.map(({ anonymousId }) => anonymousId)).size).toBe(1)
  expect([...paths]).toContain(path)
  await context.close()
})

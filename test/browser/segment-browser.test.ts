import { createReadStream, existsSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createMicro } from '@slotstream/collector'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { launchChromium } from '../support/chromium.js'
import { quietLog } from '../support/quiet-log.js'
import { until } from '../support/until.js'

const library = fileURLToPath(new URL('../../node_modules/@segment/analytics-next/dist/umd', import.meta.url))

const micro = createMicro({ sdkFile: '', log: quietLog() })
let website: Server
let browser: Browser
let collectorUrl: string

beforeAll(async () => {
  collectorUrl = `http://localhost:${await micro.listen(0, 'localhost')}`
  website = createServer((request, response) => {
    const path = join(library, normalize(request.url ?? '/'))
    if (request.url === '/' || !existsSync(path)) response.setHeader('Content-Type', 'text/html').end(PAGE)
    else createReadStream(path).pipe(response.setHeader('Content-Type', 'text/javascript'))
  })
  await new Promise<void>(resolve => website.listen(0, 'localhost', resolve))
  browser = await launchChromium()
})

afterAll(async () => {
  await browser?.close()
  website?.closeAllConnections()
  website?.close()
  await micro.stop()
})

const PAGE = '<!doctype html><title>Shop</title><script src="/index.js"></script>'

interface Library {
  AnalyticsNext: { AnalyticsBrowser: { load(settings: { writeKey: string; cdnURL: string }): Segment } }
}

interface Segment {
  page(name: string): Promise<unknown>
  track(event: string, properties: object): Promise<unknown>
  identify(userId: string, traits: object): Promise<unknown>
  group(groupId: string, traits: object): Promise<unknown>
  alias(to: string, from: string): Promise<unknown>
}

it('@segment/analytics-next, told only where the collector is, delivers every call once', async () => {
  const page = await browser.newPage()
  await page.goto(`http://localhost:${(website.address() as AddressInfo).port}/`)
  await page.evaluate(async cdnURL => {
    const analytics = (window as unknown as Library).AnalyticsNext.AnalyticsBrowser.load({ writeKey: 'demo', cdnURL })
    await analytics.page('Home')
    await analytics.identify('u-1', { plan: 'pro' })
    await analytics.group('g-1', { name: 'Example' })
    await analytics.alias('u-2', 'u-1')
    for (let n = 0; n < 10; n++)
      await analytics.track('Bought', { n, price: 12.5, gift: true, note: null, size: { height: 1 } })
  }, collectorUrl)

  const good = await until(
    'all calls are there',
    async () => (await (await fetch(`${collectorUrl}/micro/good`)).json()) as Record<string, never>[],
    messages => messages.length >= 14,
  )
  expect(good).toHaveLength(14)
  expect(await (await fetch(`${collectorUrl}/micro/bad`)).json()).toEqual([])
  const ofType = (type: string) => good.filter(message => message.type === type)
  expect(ofType('page')).toMatchObject([{ name: 'Home', context: { page: { title: 'Shop' } } }])
  expect(ofType('identify')).toMatchObject([{ userId: 'u-1', traits: { plan: 'pro' } }])
  expect(ofType('group')).toMatchObject([{ groupId: 'g-1' }])
  // The library names the person it knows already as the new one, whatever it is told.
  expect(ofType('alias')).toMatchObject([{ previousId: 'u-1' }])
  expect(
    ofType('track')
      .map(({ properties }) => properties as unknown as { n: number })
      .toSorted((a, b) => a.n - b.n),
  ).toEqual(Array.from({ length: 10 }, (_, n) => ({ n, price: 12.5, gift: true, note: null, size: { height: 1 } })))
  expect(new Set(good.map(({ anonymousId }) => anonymousId)).size).toBe(1)
})

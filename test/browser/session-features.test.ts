import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchChromium } from '../support/chromium.js'
import { type Gateway, startGateway } from '../support/gateway.js'
import { type System, startSystem } from '../support/system.js'
import { until } from '../support/until.js'
import { pageOf } from './world.js'

type Values = Record<string, unknown>
type PageWindow = Window & {
  slotstream: {
    sessionFeatures?(): Values
    personalize(slotId: string, options: object): Promise<{ outcome: string; items: { payload: object }[] }>
    consent(choice: string): void
    identify(userId: string): void
    reset(): void
    flush(): Promise<void>
  }
}

let system: System
let browser: Browser
let gateway: Gateway

const FEATURES = [
  { name: 'views', source: { event: 'Product Viewed' }, aggregate: 'count' },
  { name: 'views_by_category', source: { event: 'Product Viewed' }, by: 'properties.category', aggregate: 'count' },
  {
    name: 'dear_views',
    source: { event: 'Product Viewed', where: { 'properties.price': { $gte: '2' }, 'context.page.path': '/shop' } },
    aggregate: 'count',
  },
  { name: 'spent', source: { event: 'Product Viewed' }, value: 'properties.price', aggregate: 'sum' },
  { name: 'products', source: { event: 'Product Viewed' }, value: 'properties.product_id', aggregate: 'unique' },
  { name: 'hour', source: { event: '*' }, value: 'time.weekday', aggregate: 'mode' },
].map(feature => ({ ...feature, window: 'session', public: true }))
const SECRET = { name: 'secret', source: { event: 'Product Viewed' }, aggregate: 'count', window: 'session' }

const SHOP = (attributes: string) =>
  pageOf(`<script src="/sdk.js" data-write-key="demo" ${attributes}></script>
    <button id="tent" data-track="Product Viewed" data-track-product_id="tent" data-track-category="camp" data-track-price="240">Tent</button>
    <button id="lamp" data-track="Product Viewed" data-track-product_id="lamp" data-track-category="home" data-track-price="19.9">Lamp</button>
    <button id="other">Menu</button>`)

beforeAll(async () => {
  system = await startSystem()
  browser = await launchChromium()
  gateway = await startGateway(system.collectorUrl, {
    '/shop': SHOP('data-session-features data-clicks="auto"'),
    '/plain': SHOP('data-clicks="auto"'),
  })
  await system.admin('PUT', '/sites/demo/features', { features: [...FEATURES, SECRET] })
  await until(
    'the collector tells pages of the features',
    async () => (await fetch(`${system.collectorUrl}/v1/features?writeKey=demo`)).text(),
    text => text.includes('views_by_category'),
  )
})

afterAll(async () => {
  await browser?.close()
  await gateway?.stop()
  await system?.stop()
})

async function open(context: BrowserContext, path = '/shop'): Promise<Page> {
  const page = await context.newPage()
  await page.goto(`${gateway.url}${path}`)
  return page
}
const loaded = (page: Page) =>
  page.waitForFunction(() => {
    const { slotstream } = window as unknown as PageWindow
    return Object.keys(slotstream?.sessionFeatures?.() ?? {}).length > 0
  })
/** Clicks once what listens has loaded. */
async function click(page: Page, ...ids: string[]) {
  await loaded(page)
  for (const id of ids) await page.click(`#${id}`)
}
const valuesIn = (page: Page) =>
  page.evaluate(() => (window as unknown as PageWindow).slotstream.sessionFeatures?.() ?? {})
const visitorOf = (page: Page) => page.evaluate(() => localStorage.getItem('slotstream.anonymousId') ?? '')
const sessionOf = (page: Page) => page.evaluate(() => localStorage.getItem('slotstream.session')?.split(' ')[0] ?? '')
const keysOf = (page: Page) =>
  page.evaluate(() =>
    Object.keys({ ...localStorage, ...sessionStorage }).filter(key => /share\.|features$|\.tab$/.test(key)),
  )

/** What the server has of the same features. */
async function valuesOnServer(visitor: string, names: string[]): Promise<Values> {
  const { features } = (await system.admin('GET', `/sites/demo/profiles/${visitor}`)) as {
    features: Record<string, { value: unknown }>
  }
  return Object.fromEntries(names.map(name => [name, features[name]?.value]))
}

/**
 * Waits until a page has told the server everything, and returns what both say then: all but the duration, whose times
 * the server corrects by the way of each batch.
 */
async function agreed(page: Page, expected: Values): Promise<Values> {
  const visitor = await visitorOf(page)
  const both = async () => {
    await page.evaluate(() => (window as unknown as PageWindow).slotstream.flush())
    const { session_duration, ...mine } = await valuesIn(page)
    const theirs = await valuesOnServer(visitor, Object.keys(mine)).catch(() => ({}))
    return { mine, theirs }
  }
  const { mine, theirs } = await until(
    'browser and server agree',
    both,
    ({ mine, theirs }) =>
      JSON.stringify(mine) === JSON.stringify(theirs) &&
      Object.entries(expected).every(([name, value]) => JSON.stringify(mine[name]) === JSON.stringify(value)),
    { timeoutMs: 60_000, everyMs: 300 },
  )
  expect(mine).toEqual(theirs)
  expect(Object.keys(mine).sort()).toEqual(
    [...FEATURES.map(({ name }) => name), 'session_clicks', 'session_engaged_time', 'session_page_views'].sort(),
  )
  return mine
}

describe('the features of the session, in the browser as on the server', () => {
  it('are equal after clicks, a reload, and in two tabs; a duration by the clock of the browser', async () => {
    const context = await browser.newContext()
    const page = await open(context)
    await click(page, 'tent', 'lamp', 'other')
    await agreed(page, { views: 2, spent: 259.9, dear_views: 1, session_page_views: 1, session_clicks: 1 })
    await page.reload()
    await click(page, 'tent')
    await agreed(page, { views: 3, products: ['lamp', 'tent'], session_page_views: 2 })

    const second = await open(context)
    await click(second, 'lamp', 'lamp')
    await click(page, 'tent', 'other')
    const expected = { views: 6, views_by_category: { camp: 3, home: 3 }, session_page_views: 3, session_clicks: 2 }
    await agreed(second, expected)
    await agreed(page, expected)
    await second.close()
    await agreed(page, { views: 6 })

    // What the page has sent by now is all there is of the session.
    const visitor = await visitorOf(page)
    const measure = async () => {
      await page.evaluate(() => (window as unknown as PageWindow).slotstream.flush())
      const { session_duration } = await valuesIn(page)
      const [row] = await system.query<{ ms: number }>(
        `SELECT toUnixTimestamp64Milli(max(original_timestamp)) - toUnixTimestamp64Milli(min(original_timestamp)) AS ms
         FROM slotstream.events WHERE anonymous_id = '${visitor}'`,
      )
      return { browser: session_duration, rows: row?.ms }
    }
    const { browser: ms } = await until('the duration', measure, ({ browser, rows }) => browser === rows, {
      timeoutMs: 60_000,
    })
    expect(ms).toBeGreaterThan(0)
    await context.close()
  })

  it('begin anew with a session', async () => {
    const context = await browser.newContext()
    const page = await open(context)
    await click(page, 'tent', 'tent')
    await agreed(page, { views: 2 })
    const before = await sessionOf(page)
    // The visitor was away for an hour.
    await page.evaluate(() => {
      const [id, startedAt, lastAt] = (localStorage.getItem('slotstream.session') ?? '').split(' ')
      localStorage.setItem('slotstream.session', `${id} ${startedAt} ${Number(lastAt) - 3_600_000}`)
    })
    await page.reload()
    await click(page, 'lamp')
    expect(await sessionOf(page)).not.toBe(before)
    await agreed(page, { views: 1, products: ['lamp'], spent: 19.9 })
    await context.close()
  })

  it('go on without a network, where they choose what a slot shows, and are equal afterwards', async () => {
    const context = await browser.newContext()
    const page = await open(context)
    await click(page, 'tent')
    await agreed(page, { views: 1 })
    gateway.cut()
    await click(page, 'tent')
    await page.reload()
    await click(page, 'lamp')
    const { outcome, items } = await page.evaluate(() => {
      const { slotstream } = window as unknown as PageWindow
      const views = Number(slotstream.sessionFeatures?.().views)
      return slotstream.personalize('hero', { fallback: views >= 3 ? [{ title: 'You look around?' }] : [] })
    })
    expect({ outcome, items }).toEqual({
      outcome: 'unavailable',
      items: [expect.objectContaining({ payload: { title: 'You look around?' } })],
    })
    gateway.mend()
    await agreed(page, { views: 3, views_by_category: { camp: 2, home: 1 }, session_page_views: 2 })
    await context.close()
  })

  it('are those of one visitor: after reset, and of another user, those of a new one', async () => {
    const context = await browser.newContext()
    const page = await open(context)
    await click(page, 'tent')
    await page.evaluate(() => (window as unknown as PageWindow).slotstream.identify('ann'))
    await click(page, 'tent')
    await agreed(page, { views: 2 })
    await page.evaluate(() => (window as unknown as PageWindow).slotstream.reset())
    await click(page, 'lamp')
    await agreed(page, { views: 1, products: ['lamp'] })
    await page.evaluate(() => (window as unknown as PageWindow).slotstream.identify('ben'))
    await page.evaluate(() => (window as unknown as PageWindow).slotstream.identify('cleo'))
    await click(page, 'tent')
    await agreed(page, { views: 1, products: ['tent'] })
    await context.close()
  })

  it('are not kept without consent', async () => {
    const context = await browser.newContext()
    const page = await open(context)
    await click(page, 'tent')
    await agreed(page, { views: 1 })
    expect(await keysOf(page)).not.toEqual([])
    await page.evaluate(() => (window as unknown as PageWindow).slotstream.consent('denied'))
    await page.click('#tent')
    await page.reload()
    await page.waitForFunction(() => 'slotstream' in window)
    await page.click('#tent')
    expect(await keysOf(page)).toEqual([])
    expect(await valuesIn(page)).toEqual({})
    await context.close()
  })
})

describe('pages that do not ask for them', () => {
  it('load and request nothing of it', async () => {
    const context = await browser.newContext()
    const page = await context.newPage()
    const urls: string[] = []
    page.on('request', request => urls.push(request.url()))
    await page.goto(`${gateway.url}/plain`)
    await page.waitForFunction(() => 'slotstream' in window)
    await page.evaluate(() => (window as unknown as PageWindow).slotstream.flush())
    expect(urls.filter(url => url.includes('features'))).toEqual([])
    expect(await keysOf(page)).toEqual([])
    await context.close()
  })

  it('and all others learn only what is public', async () => {
    const response = await fetch(`${system.collectorUrl}/v1/features?writeKey=demo`)
    const { features } = (await response.json()) as { features: { name: string }[] }
    expect(response.headers.get('cache-control')).toBe('public, max-age=300')
    expect(features.map(({ name }) => name)).toEqual([
      ...['session_page_views', 'session_clicks', 'session_duration', 'session_engaged_time'],
      ...FEATURES.map(({ name }) => name),
    ])
    const unknown = await fetch(`${system.collectorUrl}/v1/features?writeKey=nobody`)
    expect([unknown.status, await unknown.json()]).toMatchObject([401, { error: { code: 'unknown_key' } }])
  })
})

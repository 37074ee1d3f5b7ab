import type { Browser, BrowserContext, CDPSession, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchChromium } from '../support/chromium.js'
import { until } from '../support/until.js'
import { numberOf, type PageWindow, pageOf, startWorld, upTo, type World, WRITE_KEY } from './world.js'

const PAGES = {
  '/synced': pageOf(`<script src="/sdk.js" data-write-key="${WRITE_KEY}" data-background-sync="/worker.js"></script>`),
  '/worker.js': {
    html: `importScripts('/sdk/service-worker.js')`,
    headers: { 'Content-Type': 'text/javascript' },
  },
}

let world: World
let browser: Browser
let context: BrowserContext
let devtools: CDPSession
const registrations = new Map<string, string>()

beforeAll(async () => {
  world = await startWorld()
  browser = await launchChromium()
  context = await browser.newContext()
  // A page of no site, so that no page of a test's site is open when it doesn't open one.
  devtools = await context.newCDPSession(await context.newPage())
  devtools.on('ServiceWorker.workerRegistrationUpdated', update => {
    for (const { scopeURL, registrationId } of update.registrations) registrations.set(scopeURL, registrationId)
  })
  await devtools.send('ServiceWorker.enable')
})

afterAll(async () => {
  await browser?.close()
  await world?.stop()
})

/** Opens a page whose worker is ready. */
async function open(url: string) {
  const page = await context.newPage()
  await page.goto(url)
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => {}))
  return page
}

/** Tags that wait for a sync. */
const tagsOf = (page: Page) =>
  page.evaluate(async () => {
    const { sync } = (await navigator.serviceWorker.ready) as unknown as { sync: { getTags(): Promise<string[]> } }
    return sync.getTags()
  })

/** What Chromium does by itself when the network is back. */
async function sync(origin: string, tag: string): Promise<void> {
  const registrationId = await until('the registration is known', () => registrations.get(`${origin}/`), Boolean)
  await devtools.send('ServiceWorker.dispatchSyncEvent', {
    origin,
    registrationId: registrationId as string,
    tag,
    lastChance: false,
  })
}

describe('the service worker', () => {
  it('sends what a tab left that is gone, once and in order, without any page', async () => {
    const network = await world.network(PAGES)
    network.cut()
    const page = await open(`${network.url}/synced`)
    await context.setOffline(true)
    await page.evaluate(async () => {
      const { slotstream } = window as unknown as PageWindow
      for (let i = 0; i < 200; i++) slotstream.track('Left', { i })
      await slotstream.flush()
    })
    const tags = await until(
      'the page has asked for a sync',
      () => tagsOf(page),
      ({ length }) => length > 0,
    )
    await page.close()
    await context.setOffline(false)
    expect(tags).toEqual([expect.stringMatching(/^slotstream /)])
    const before = network.attempts.length
    network.mend()
    expect(await world.stored('Left')).toEqual([])
    await sync(network.url, tags[0] as string)
    const messages = await world.arrival('Left', 200)
    expect(messages.map(numberOf)).toEqual(upTo(200))
    expect(network.attempts.length - before).toBeLessThanOrEqual(10)

    // Taken out of the queue: the next page finds nothing of it.
    const next = await open(`${network.url}/synced`)
    await next.evaluate(() => (window as unknown as PageWindow).slotstream.flush())
    expect((await world.stored('Left')).map(numberOf)).toEqual(upTo(200))
    await next.close()
  })

  it('does not bring back a queue that the visitor has deleted', async () => {
    const network = await world.network(PAGES)
    network.cut()
    const page = await open(`${network.url}/synced`)
    await page.evaluate(async () => {
      const { slotstream } = window as unknown as PageWindow & { slotstream: { consent(choice: string): void } }
      slotstream.track('Withdrawn', { i: 0 })
      await slotstream.flush()
      slotstream.consent('denied')
    })
    await page.close()
    network.mend()
    const before = network.attempts.length
    await sync(
      network.url,
      `slotstream ${JSON.stringify({ writeKey: WRITE_KEY, endpoint: network.url, maxBatchBytes: 60_000, maxQueueAge: 86_400_000 })}`,
    )
    const next = await context.newPage()
    await next.goto(`${network.url}/blank`)
    const databases = () => next.evaluate(() => indexedDB.databases().then(all => all.map(({ name }) => name)))
    expect(await databases()).toEqual([])
    expect(network.attempts.length).toBe(before)
    expect(await world.stored('Withdrawn')).toEqual([])
    await next.close()
  })
})

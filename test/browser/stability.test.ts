import { readFileSync } from 'node:fs'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchChromium } from '../support/chromium.js'
import { startGateway } from '../support/gateway.js'
import { noteShifts, type Shift, shiftsOf } from '../support/layout-shifts.js'
import { startSite } from '../support/site.js'
import { type System, startSystem } from '../support/system.js'
import { until } from '../support/until.js'

type Measured = Window & { shifts: Shift[]; painted: string[] }

let system: System
let browser: Browser
let site: Awaited<ReturnType<typeof startSite>>

/** The recipe of the SDK's documentation. */
const [, RECIPE = ''] =
  /```css\n(.*?)```/s.exec(readFileSync(new URL('../../docs/sdk.md', import.meta.url), 'utf8')) ?? []

beforeAll(async () => {
  system = await startSystem()
  browser = await launchChromium()
  await system.admin('PUT', '/sites/demo/slots/plain', { policy: { type: 'random' }, count: 1 })
  await system.admin('PUT', '/sites/demo/content/plain', {
    slots: ['plain'],
    category: 'camp',
    payload: { title: 'Chosen' },
  })
  const shop = (css: string) => ({
    html: `<!doctype html><html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,"><title>Shop</title>
      <style>${css}</style><script async src="${system.collectorUrl}/sdk.js" data-write-key="demo"></script></head>
      <body><div data-slot="plain"><p elementtiming="own">Own content</p>
      <template data-slot-template><h2 elementtiming="chosen" data-text="title"></h2></template></div><p>Below</p></body></html>`,
  })
  // How long the page's own content stays hidden at most is a matter of the machine.
  site = await startSite({ '/': shop(RECIPE), '/patient': shop(RECIPE.replace(/\d+m?s(?= forwards)/g, '30s')) })
})

afterAll(async () => {
  await browser?.close()
  await site?.stop()
  await system?.stop()
})

/** Notes every movement that the visitor did not cause, and what was painted, from the first moment on. */
async function measured(page: Page): Promise<void> {
  await noteShifts(page)
  await page.addInitScript(() => {
    const own = window as unknown as Measured
    own.painted = []
    new PerformanceObserver(list => {
      for (const entry of list.getEntries())
        own.painted.push((entry as PerformanceEntry & { identifier: string }).identifier)
    }).observe({ type: 'element', buffered: true })
  })
}

const served = (page: Page, url: string, count: number) =>
  until(
    'all slots are served',
    async () => {
      await page.goto(url)
      await page.waitForFunction(
        () => !document.querySelector('[data-slot]:not([data-slot-state])') && document.querySelector('[data-slot]'),
      )
      return page.locator('[data-slot-state="served"]').count()
    },
    it => it === count,
    { timeoutMs: 60_000 },
  )

it('there is a recipe', () => expect(RECIPE).toMatch(/data-slot-state.* \d+ms/s))

describe('filling the slots', () => {
  it.each([
    ['a desk', { width: 1280, height: 800 }],
    ['a hand', { width: 390, height: 844 }],
  ])('of the demo shop moves nothing on a screen for %s', async (_where, viewport) => {
    const context = await browser.newContext({ viewport })
    const page = await context.newPage()
    await measured(page)
    await served(page, `${system.collectorUrl}/demo/`, 2)
    expect(await shiftsOf(page)).toEqual([])
    await context.close()
  })

  it.each(['', 'product.html?p=lantern', 'category.html?c=camp', 'cart.html'])(
    'of the demo shop, and its markup arriving in pieces, move nothing on /%s',
    async path => {
      const network = await startGateway(system.collectorUrl)
      network.trickle()
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
      const page = await context.newPage()
      await measured(page)
      await page.goto(`${network.url}/demo/${path}`, { waitUntil: 'load' })
      await page.waitForFunction(() => !document.querySelector('[data-slot]:not([data-slot-state])'))
      expect(await shiftsOf(page)).toEqual([])
      await context.close()
      await network.stop()
    },
  )

  it('by the recipe shows what was chosen, and nothing before it', async () => {
    const context = await browser.newContext()
    const page = await context.newPage()
    await measured(page)
    await served(page, `${site.url}/patient`, 1)
    await page.waitForFunction(() => (window as unknown as Measured).painted.includes('chosen'))
    const { shifts, painted } = await page.evaluate(() => {
      const { shifts, painted } = window as unknown as Measured
      return { shifts, painted }
    })
    expect(painted).toEqual(['chosen'])
    expect(shifts).toEqual([])
    await context.close()
  })

  it("by the recipe shows the page's own content when the script is blocked", async () => {
    const context = await browser.newContext()
    const page = await context.newPage()
    await measured(page)
    await page.route('**/sdk.js', route => route.abort())
    await page.goto(site.url)
    await page.waitForFunction(() => (window as unknown as Measured).painted.includes('own'))
    await context.close()
  })
})

import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Message } from '#sdk/types.js'
import { launchChromium } from '../support/chromium.js'
import { type System, startSystem } from '../support/system.js'

type Slotstream = typeof import('#sdk/entries/index.js')
type Host = Window & { slotstream: Slotstream; lines: string[] }

let system: System
let browser: Browser
let site: Server
let url: string

/** A page of another origin that allows nothing inline, no `eval`, no styles, and no HTML from scripts. */
beforeAll(async () => {
  system = await startSystem()
  browser = await launchChromium()
  const policy = [
    "default-src 'self'",
    `script-src ${system.collectorUrl}`,
    `connect-src ${system.collectorUrl}`,
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ')
  site = createServer((_request, response) => {
    response.setHeader('Content-Security-Policy', policy)
    response.setHeader('Content-Type', 'text/html')
    response.end(`<!doctype html><html lang="en"><title>Shop</title><button>Buy</button>
      <script async src="${system.collectorUrl}/sdk.js" data-write-key="demo" data-debug></script></html>`)
  })
  await new Promise<void>(resolve => site.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(site.address() as AddressInfo).port}/`
})

afterAll(async () => {
  await browser?.close()
  site?.close()
  await system?.stop()
})

async function open(): Promise<{ page: Page; said: string[]; errors: string[] }> {
  const page = await browser.newPage({ viewport: { width: 360, height: 640 } })
  const said: string[] = []
  const errors: string[] = []
  page.on('console', message => (message.type() === 'error' ? errors : said).push(message.text()))
  page.on('pageerror', error => errors.push(error.message))
  await page.goto(url)
  await page.waitForFunction(() => 'slotstream' in window)
  return { page, said, errors }
}

it('shows messages with what the collector made of them, decisions with their reasons, and the visitor, under a strict policy', async () => {
  const { page, said, errors } = await open()
  await page.evaluate(async () => {
    const { slotstream } = window as unknown as Host
    // What a broken wrapper might send.
    slotstream.addMiddleware(message =>
      message.event === 'Bad' ? ({ ...message, type: 'trakc' } as unknown as Message) : message,
    )
    slotstream.identify('ann')
    slotstream.track('Product Viewed', { product_id: 'p1', category: 'tea' })
    slotstream.track('Bad')
    await slotstream.flush()
    await slotstream.personalize('hero', { timeout: 20_000 })
    await slotstream.debug()
  })
  const tab = (name: string) => page.getByRole('tab', { name })
  const row = (title: string) => page.locator('details', { hasText: title })

  await expect.poll(() => row('"Product Viewed"').textContent()).toContain('acknowledged')
  await expect.poll(() => row('"Bad"').textContent()).toContain('rejected')
  await row('"Bad"').locator('summary').click()
  await expect.poll(() => row('"Bad"').textContent()).toMatch(/type/)

  // Everything can be reached by keyboard.
  await tab('Messages').focus()
  await page.keyboard.press('ArrowRight')
  await expect.poll(() => tab('Decisions').getAttribute('aria-selected')).toBe('true')
  await row('hero').locator('summary').press('Enter')
  await expect.poll(() => row('hero').textContent()).toMatch(/policy.*affinity/)
  await tab('Decisions').press('ArrowRight')
  await expect
    .poll(() => page.getByRole('tabpanel', { name: 'Problems' }).textContent())
    .toMatch(/rejected trakc "Bad"/)
  await tab('Problems').press('End')
  await expect
    .poll(() => page.getByRole('tabpanel', { name: 'Visitor' }).textContent())
    .toMatch(/ann.*granted.*acknowledged/)

  const box = await page.locator('slotstream-inspector').boundingBox()
  expect(box?.width).toBeLessThanOrEqual(360)
  expect(await page.getByRole('button', { name: 'Buy' }).isVisible()).toBe(true)
  await page.keyboard.press('Escape')
  await expect.poll(() => page.locator('slotstream-inspector').count()).toBe(0)

  expect(errors).toEqual([])
  expect(said.join('\n')).toMatch(/\[slotstream\] captured track "Product Viewed"/)
  expect(said.join('\n')).toMatch(/\[slotstream\] sent \d+ messages?, \d+(\.\d)? K?B/)
  expect(said.join('\n')).toMatch(/\[slotstream\] slot hero: served .* by affinity/)
  await page.close()
})

it('says that the write key is wrong', async () => {
  const { page } = await open()
  await page.evaluate(async () => {
    const { slotstream } = window as unknown as Host
    const endpoint = (document.querySelector('script') as HTMLScriptElement).src.replace('/sdk.js', '')
    slotstream.destroy()
    slotstream.init({ writeKey: 'dmeo', endpoint })
    slotstream.track('Lost')
    await slotstream.flush()
    await slotstream.debug()
    // A second call opens no second one.
    await slotstream.debug()
  })
  await expect.poll(() => page.locator('slotstream-inspector').count()).toBe(1)
  await expect.poll(() => page.locator('details', { hasText: '"Lost"' }).textContent()).toContain('dropped')
  await page.getByRole('tab', { name: 'Problems' }).click()
  expect(await page.getByRole('tabpanel', { name: 'Problems' }).textContent()).toContain('check `writeKey`')
  await page.close()
})

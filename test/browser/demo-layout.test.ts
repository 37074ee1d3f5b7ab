import { beforeAll, expect, it } from 'vitest'
import type { Gateway } from '../support/gateway.js'
import { browser, world } from './chromium-world.js'

const PAGES = ['', 'category.html?c=kitchen', 'product.html?p=lantern', 'cart.html']

let network: Gateway

beforeAll(async () => {
  network = await world.network()
})

it.each([320, 680, 1100])('no page of the demo is wider than %d px', async width => {
  const page = await browser.newPage({ viewport: { width, height: 700 } })
  for (const path of PAGES)
    for (const panel of ['open', 'closed']) {
      await page.goto(`${network.url}/demo/${path}`, { waitUntil: 'load' })
      const beyond = await page.evaluate(state => {
        document.documentElement.dataset.panel = state
        return document.documentElement.scrollWidth - document.documentElement.clientWidth
      }, panel)
      expect(beyond, `${path} with the panel ${panel}`).toBe(0)
    }
  await page.close()
})

it('shows interests on pages without a slot, too', async () => {
  const page = await browser.newPage({ viewport: { width: 1200, height: 700 } })
  await page.goto(`${network.url}/demo/product.html?p=lantern`)
  await page.waitForSelector('.sees-affinities [data-category="camp"] .sees-number:text("1.00")')
  expect(await page.locator('.sees').textContent()).not.toMatch(/undefined|NaN/)
  await page.close()
})

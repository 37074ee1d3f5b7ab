import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchChromium } from '../support/chromium.js'
import { type System, startSystem } from '../support/system.js'
import { until } from '../support/until.js'

let system: System
let browser: Browser

beforeAll(async () => {
  system = await startSystem()
  browser = await launchChromium()
  // Without exploration the best match is certain, so the test can insist on it.
  await system.admin('PUT', '/sites/demo/slots/hero', {
    id: 'hero',
    policy: { type: 'affinity', exploration: 0 },
    count: 1,
  })
})

afterAll(async () => {
  await browser?.close()
  await system?.stop()
})

/**
 * Opens the home page until the hero was served, and returns what it then links to. On a busy machine the deadline of
 * a slot may pass; then the page's own content stays, as it should.
 */
async function heroOf(page: Page): Promise<string> {
  const state = async () => {
    await page.goto(`${system.collectorUrl}/demo/`)
    await page.waitForSelector('[data-slot="hero"][data-slot-state]')
    return page.getAttribute('[data-slot="hero"]', 'data-slot-state')
  }
  await until('the hero is served', state, answer => answer === 'served')
  return (await page.getAttribute('[data-slot="hero"] a[href]:visible', 'href')) ?? ''
}

async function productsByCategory(): Promise<Map<string, string[]>> {
  const catalog = (await system.admin('GET', '/sites/demo/catalog')) as {
    content: { id: string; category: string; slots: string[]; payload: { url: string } }[]
  }
  const products = new Map<string, string[]>()
  for (const content of catalog.content)
    if (content.slots.includes('for-you'))
      products.set(content.category, [...(products.get(content.category) ?? []), content.payload.url])
  return products
}

describe('the demo shop in a real browser', () => {
  it('shows a hero of the category whose products were looked at, for each category', async () => {
    const products = await productsByCategory()
    expect([...products.keys()]).toHaveLength(4)
    for (const [category, urls] of products) {
      const context = await browser.newContext()
      const page = await context.newPage()
      await heroOf(page)
      for (const url of urls.slice(0, 2)) {
        await page.goto(new URL(url, `${system.collectorUrl}/demo/`).href)
        await page.waitForFunction(() => 'slotstream' in window)
      }
      expect(await heroOf(page)).toContain(category)
      await context.close()
    }
  })

  it('leaves matching rows in events, decisions and sessions', async () => {
    const context = await browser.newContext()
    const page = await context.newPage()
    const messages: {
      messageId: string
      type: string
      anonymousId: string
      event?: string
      context: { sessionId: string }
    }[] = []
    await page.exposeFunction('seen', (message: (typeof messages)[number]) => messages.push(message))
    await page.addInitScript(() =>
      window.addEventListener('slotstream:captured', event =>
        (window as unknown as { seen(message: unknown): void }).seen((event as CustomEvent).detail),
      ),
    )
    await heroOf(page)
    // Long enough for half of the hero to be seen for a second.
    await until(
      'an impression',
      () => messages.filter(message => message.event === 'Slot Viewed').length,
      n => n > 0,
    )
    await page.click('[data-slot="hero"] a[href]:visible')
    await until('a click', () => messages.some(message => message.event === 'Slot Clicked'), Boolean)
    await until(
      'the page behind it',
      () => messages.filter(message => message.type === 'page').length,
      n => n > 1,
    )

    const [first] = messages
    const { anonymousId } = first!
    const { sessionId } = first!.context
    const events = await until(
      'the rows of the visit',
      () =>
        system.query<{
          message_id: string
          event: string
          session_id: string
          decision_id: string
          slot_id: string
          n: number
        }>(
          `SELECT message_id, event, session_id, decision_id, slot_id, count() OVER (PARTITION BY message_id) AS n
           FROM slotstream.events WHERE anonymous_id = '${anonymousId}'`,
        ),
      rows => messages.every(({ messageId }) => rows.some(row => row.message_id === messageId)),
    )
    expect(events.every(row => row.session_id === sessionId)).toBe(true)
    expect(events.every(row => row.n === 1)).toBe(true)

    const clicked = events.find(row => row.event === 'Slot Clicked')
    const decisions = await system.query<{
      slot_id: string
      outcome: string
      propensities: number[]
      content_ids: string[]
    }>(
      `SELECT slot_id, outcome, propensities, content_ids FROM slotstream.decisions
       WHERE decision_id = '${clicked?.decision_id}' AND anonymous_id = '${anonymousId}'`,
    )
    expect(decisions).toHaveLength(1)
    expect(decisions[0]).toMatchObject({ slot_id: 'hero', outcome: 'served' })
    expect(decisions[0]?.propensities[0]).toBeGreaterThan(0)

    const sessions = await system.query<{ events: number; page_views: number }>(
      `SELECT events, page_views FROM slotstream.sessions WHERE session_id = '${sessionId}'`,
    )
    expect(sessions).toHaveLength(1)
    expect(sessions[0]?.page_views).toBeGreaterThanOrEqual(2)

    const [rewarded] = await system.query<{ viewed: number; clicked: number }>(
      `SELECT viewed, clicked FROM slotstream.decision_rewards WHERE decision_id = '${clicked?.decision_id}'`,
    )
    expect(Number(rewarded?.viewed)).toBe(1)
    expect(Number(rewarded?.clicked)).toBe(1)
    await context.close()
  })

  it('fits a phone: nothing is wider than the screen', async () => {
    const context = await browser.newContext({ viewport: { width: 390, height: 844 } })
    const page = await context.newPage()
    for (const path of ['', 'category.html?c=', 'cart.html']) {
      await page.goto(`${system.collectorUrl}/demo/${path}`)
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)
    }
    await context.close()
  })
})

import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import type { Refusal } from '../support/gateway.js'
import { until } from '../support/until.js'
import { browser, world } from './chromium-world.js'
import { numberOf, type PageWindow, upTo } from './world.js'

/** How long the collector refuses, in milliseconds. OUTAGE_MS=30000 shows half a minute. */
const OUTAGE_MS = Number(process.env.OUTAGE_MS ?? 5_000)

/** Messages that the page captures meanwhile. */
const COUNT = 100

/** A person keeps clicking: a message every now and then until all are captured. */
const keepTracking = (page: Page, event: string, everyMs: number) =>
  page.evaluate(
    async ({ event, count, everyMs }) => {
      for (let i = 0; i < count; i++) {
        ;(window as unknown as PageWindow).slotstream.track(event, { i })
        await new Promise(resolve => setTimeout(resolve, everyMs))
      }
    },
    { event, count: COUNT, everyMs },
  )

const refusals: [string, Refusal][] = [
  ['503', { status: 503, headers: { 'Content-Type': 'application/json' }, body: '{"error":{"code":"unavailable"}}' }],
  ['a login page with 200', { status: 200, headers: { 'Content-Type': 'text/html' }, body: '<html>Log in</html>' }],
  ['half an answer', { status: 200, headers: { 'Content-Type': 'application/json' }, body: '{"success":true,"rej' }],
  ['an answer of something else', { status: 200, headers: { 'Content-Type': 'application/json' }, body: '{"ok":1}' }],
]

describe('a collector that answers', () => {
  it.each(refusals)('%s loses nothing and causes no storm', async (name, refusal) => {
    const network = await world.network()
    const page = await browser.newPage()
    await page.goto(`${network.url}/page`)
    network.refuse(refusal)
    await keepTracking(page, name, OUTAGE_MS / COUNT)
    // Ever longer pauses: even if chance made each of them half as long as it may be on average, not more than this.
    const attempts = network.attempts.length
    expect(attempts).toBeGreaterThan(0)
    expect(attempts).toBeLessThanOrEqual(5 + 4 * Math.log2(OUTAGE_MS / 1_000))
    network.mend()
    const messages = await world.arrival(name, COUNT)
    expect(messages.map(numberOf)).toEqual(upTo(COUNT))
    await page.close()
  })

  it('429 with Retry-After is left alone for that long, by the next page, too', async () => {
    const network = await world.network()
    const page = await browser.newPage()
    await page.goto(`${network.url}/page`)
    network.refuse({ status: 429, headers: { 'Retry-After': '4' } })
    const before = network.attempts.length
    const tracking = keepTracking(page, '429', 10)
    await until(
      'it is refused',
      () => network.attempts.length,
      count => count > before,
    )
    await tracking
    await page.reload()
    const last = await until(
      'it comes again',
      () => network.attempts,
      ({ length }) => length > before + 1,
    )
    expect((last[before + 1]?.at ?? 0) - (last[before]?.at ?? 0)).toBeGreaterThanOrEqual(4_000)
    network.mend()
    const messages = await world.arrival('429', COUNT)
    expect(messages.map(numberOf)).toEqual(upTo(COUNT))
    await page.close()
  })

  it('nothing after it has stored a batch gets it again, and stores it once', async () => {
    const network = await world.network()
    const page = await browser.newPage()
    await page.goto(`${network.url}/page`)
    network.loseAnswer(3)
    await keepTracking(page, 'Answer Lost', 10)
    await page.evaluate(() => (window as unknown as PageWindow).slotstream.flush())
    const messages = await world.arrival('Answer Lost', COUNT)
    expect(messages.map(numberOf)).toEqual(upTo(COUNT))
    expect(network.lost()).toBe(3)
    await page.close()
  })
})

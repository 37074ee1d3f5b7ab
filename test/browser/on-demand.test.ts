import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { until } from '../support/until.js'
import { browser, world } from './chromium-world.js'
import { numberOf, type PageWindow, pageOf, SDK, upTo, WRITE_KEY } from './world.js'

const WITHOUT_STORAGE = `Object.defineProperty(window, 'indexedDB', { value: undefined })
  Object.defineProperty(Navigator.prototype, 'locks', { value: undefined })`

/** A page of a new visitor, the names of the files that it asked for, and what went wrong in it. */
async function open(script = '') {
  const context = await browser.newContext()
  const page = await context.newPage()
  const files: string[] = []
  const errors: string[] = []
  page.on('request', request => {
    const [, file] = /\/(?:sdk|npm)\/([\w-]+\.js)/.exec(request.url()) ?? []
    if (file) files.push(file)
  })
  page.on('pageerror', error => errors.push(error.message))
  if (script) await page.addInitScript(script)
  return { page, files, errors, close: () => context.close() }
}

const track = (page: Page, event: string, count = 20) =>
  page.evaluate(
    ([event, count]) => {
      for (let i = 0; i < Number(count); i++) (window as unknown as PageWindow).slotstream.track(String(event), { i })
    },
    [event, count],
  )

const loaded = (files: string[], file: string) =>
  until(
    `${file} is asked for`,
    () => files,
    it => it.includes(file),
  )

/** The page moves on in the task that captures the last of twenty. */
const leave = (page: Page, event: string, to: string) =>
  page.evaluate(
    ([event, to]) => {
      for (let i = 0; i < 20; i++) (window as unknown as PageWindow).slotstream.track(String(event), { i })
      location.href = String(to)
    },
    [event, to],
  )

describe('what keeps messages in memory, and what takes turns, without the browser’s own', () => {
  it('loads where IndexedDB and Web Locks are missing, and delivers', async () => {
    const event = 'Kept In Memory'
    const { url } = await world.network()
    const { page, files, errors, close } = await open(WITHOUT_STORAGE)
    await page.goto(`${url}/page`)
    await track(page, event)
    expect((await world.arrival(event, 20)).map(numberOf)).toEqual(upTo(20))
    expect(files).toEqual(expect.arrayContaining(['memory-tables.js', 'lease.js']))
    expect(errors).toEqual([])
    await close()
  })

  it('loses nothing at the end of the page when it cannot be loaded, and does not ask for it again and again', async () => {
    const event = 'Kept By The Queue'
    const { url } = await world.network()
    const { page, files, errors, close } = await open(WITHOUT_STORAGE)
    await page.route(/\/sdk\/(memory-tables|lease)\.js/, route => route.abort())
    await page.goto(`${url}/page`)
    await track(page, 'Tried')
    await loaded(files, 'memory-tables.js')
    await page.waitForTimeout(2_000)
    expect(files.filter(file => file === 'memory-tables.js')).toHaveLength(1)
    await leave(page, event, `${url}/blank`)
    expect((await world.arrival(event, 20)).map(numberOf)).toEqual(upTo(20))
    expect(errors).toEqual([])
    await close()
  })

  it('is not loaded where the browser has both', async () => {
    const event = 'Kept By The Browser'
    const { url } = await world.network()
    const { page, files, close } = await open()
    await page.goto(`${url}/page`)
    await track(page, event)
    await world.arrival(event, 20)
    await loaded(files, 'defaults.js')
    expect(files).toEqual(['defaults.js'])
    await close()
  })
})

describe('what fills slots', () => {
  const decisions = { decisions: [{ slotId: 'hero', decisionId: 'd1', outcome: 'served', items: [] }] }
  const add = (page: Page) =>
    page.evaluate(() => {
      const slot = document.createElement('div')
      slot.dataset.slot = 'hero'
      slot.textContent = 'own'
      document.body.append(slot)
    })

  it('loads with the first slot that a page adds', async () => {
    const { url } = await world.network()
    const { page, files, close } = await open()
    await page.route('**/v1/slots*', route => route.fulfill({ json: decisions }))
    await page.goto(`${url}/page`)
    await loaded(files, 'defaults.js')
    await page.waitForTimeout(500)
    expect(files).not.toContain('slots.js')
    await add(page)
    await page.waitForSelector('[data-slot-state]')
    expect(files).toContain('slots.js')
    await close()
  })

  it("leaves the page's own content when it cannot be loaded, and asks by itself, by the deadline", async () => {
    const event = 'Tracked Beside'
    const network = await world.network({ '/slot': pageOf(`${SDK}<div data-slot="hero">own</div>`) })
    const { page, errors, close } = await open()
    await page.route('**/sdk/slots.js*', route => route.abort())
    await page.route('**/v1/slots*', route => route.fulfill({ status: 503 }))
    await page.goto(`${network.url}/slot`)
    const ask = () =>
      page.evaluate(() =>
        (window as unknown as { slotstream: typeof import('#sdk/entries/index.js') }).slotstream.personalize('hero', {
          fallback: [{ title: 'own' }],
        }),
      )
    expect(await ask()).toEqual({
      slotId: 'hero',
      decisionId: '',
      outcome: 'unavailable',
      items: [{ contentId: '', position: 1, payload: { title: 'own' } }],
    })
    await page.waitForSelector('[data-slot-state="fallback"]')
    await page.route('**/sdk/slots.js*', () => {})
    await page.route('**/v1/slots*', route => route.fulfill({ json: decisions }))
    await page.goto(`${network.url}/slot`)
    expect(await ask()).toMatchObject({ outcome: 'served' })
    await page.waitForSelector('[data-slot-state="fallback"]')
    await page.route('**/v1/slots*', () => {})
    await page.goto(`${network.url}/slot`)
    expect(await ask()).toMatchObject({ outcome: 'timeout' })
    await track(page, event)
    await world.arrival(event, 20)
    expect((await world.stored('Slot Fell Back')).map(({ properties }) => properties)).toEqual(
      expect.arrayContaining([expect.objectContaining({ slotId: 'hero', outcome: 'timeout' })]),
    )
    expect(await page.textContent('[data-slot]')).toBe('own')
    expect(errors).toEqual([])
    await close()
  })
})

describe('what measures a page by default', () => {
  it('is missed by nothing else when it cannot be loaded', async () => {
    const event = 'Not Measured'
    const { url } = await world.network()
    const { page, files, errors, close } = await open()
    await page.route('**/sdk/defaults.js*', route => route.abort())
    await page.goto(`${url}/page`)
    await loaded(files, 'defaults.js')
    await track(page, event)
    expect((await world.arrival(event, 20)).map(numberOf)).toEqual(upTo(20))
    expect(errors).toEqual([])
    await close()
  })
})

describe('what sends, in a page with the script tag', () => {
  it('has a file of its own where that of the defaults cannot be loaded', async () => {
    const event = 'Sent From Its Own File'
    const { url } = await world.network()
    const { page, files, errors, close } = await open()
    await page.route('**/sdk/defaults.js*', route => route.abort())
    await page.goto(`${url}/page`)
    await track(page, event)
    expect((await world.arrival(event, 20)).map(numberOf)).toEqual(upTo(20))
    expect(files).toEqual(expect.arrayContaining(['defaults.js', 'sending.js']))
    expect(errors).toEqual([])
    await close()
  })

  it('is missed by nothing when it has not come yet: messages leave with their page, and the next page sends the rest', async () => {
    const [left, stayed] = ['Left With The Tagged Page', 'Stayed After The Tagged Page']
    const network = await world.network()
    const { page, errors, close } = await open()
    await page.route(/\/sdk\/(defaults|sending)\.js/, route => route.abort())
    await page.goto(`${network.url}/page`)
    await leave(page, left, `${network.url}/blank`)
    expect((await world.arrival(left, 20)).map(numberOf)).toEqual(upTo(20))

    await page.goto(`${network.url}/page`)
    network.cut()
    await leave(page, stayed, `${network.url}/blank`)
    await page.waitForURL('**/blank')
    network.mend()
    expect(await world.stored(stayed)).toEqual([])
    await page.unroute(/\/sdk\/(defaults|sending)\.js/)
    await page.goto(`${network.url}/page`)
    expect((await world.arrival(stayed, 20)).map(numberOf)).toEqual(upTo(20))
    expect(errors).toEqual([])
    await close()
  })

  it('comes after the first slots, which wait for nothing but their own file', async () => {
    const network = await world.network({
      '/slot': pageOf(
        `${SDK}<div data-slot="hero">own<template data-slot-template><b data-text="t"></b></template></div>`,
      ),
    })
    const { page, close } = await open()
    const item = { contentId: 'c', position: 1, payload: { t: 'Tea' } }
    await page.route('**/v1/slots*', route =>
      route.fulfill({ json: { decisions: [{ slotId: 'hero', decisionId: 'd', outcome: 'served', items: [item] }] } }),
    )
    // It never answers.
    await page.route(/\/sdk\/(defaults|sending)\.js/, () => {})
    await page.goto(`${network.url}/slot`, { waitUntil: 'commit' })
    await page.waitForSelector('[data-slot-state="served"]')
    await close()
  })
})

describe('what sends, in a page that was bundled', () => {
  const MODULE = `<script type="module">
    import * as slotstream from '/npm/index.js'
    window.slotstream = slotstream
    slotstream.init({ writeKey: '${WRITE_KEY}', webVitals: false })
  </script>`

  /** The npm package as a page without a bundler has it; what has to come from another package isn't wanted here. */
  const bundled = async (page: Page) =>
    page.route('**/npm/*.js', async route => {
      const file = new URL(route.request().url()).pathname.replace('/npm/', '')
      const body = await readFile(new URL(`../../sdk/dist/npm/${file}`, import.meta.url), 'utf8')
      await route.fulfill({ contentType: 'text/javascript', body })
    })

  it('loads a moment later, and delivers', async () => {
    const event = 'Sent Later'
    const network = await world.network({ '/module': pageOf(MODULE) })
    const { page, files, errors, close } = await open()
    await bundled(page)
    await page.goto(`${network.url}/module`)
    await page.waitForFunction(() => 'slotstream' in window)
    await track(page, event)
    expect((await world.arrival(event, 20)).map(numberOf)).toEqual(upTo(20))
    expect(files).toContain('later-plugins.js')
    expect(errors).toEqual([])
    await close()
  })

  it('is missed by nothing when it cannot be loaded: messages leave with their page, and the next page sends the rest', async () => {
    const [left, stayed] = ['Left With The Page', 'Stayed In The Browser']
    const network = await world.network({ '/module': pageOf(MODULE) })
    const { page, files, errors, close } = await open()
    await bundled(page)
    await page.route('**/npm/later-plugins.js', route => route.abort())
    await page.goto(`${network.url}/module`)
    await page.waitForFunction(() => 'slotstream' in window)
    await loaded(files, 'later-plugins.js')
    await leave(page, left, `${network.url}/blank`)
    expect((await world.arrival(left, 20)).map(numberOf)).toEqual(upTo(20))

    await page.goto(`${network.url}/module`)
    await page.waitForFunction(() => 'slotstream' in window)
    network.cut()
    await leave(page, stayed, `${network.url}/blank`)
    await page.waitForURL('**/blank')
    network.mend()
    await page.unroute('**/npm/later-plugins.js')
    await page.goto(`${network.url}/module`)
    expect((await world.arrival(stayed, 20)).map(numberOf)).toEqual(upTo(20))
    expect(errors).toEqual([])
    await close()
  })
})

import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchChromium } from '../support/chromium.js'
import { startSite } from '../support/site.js'
import { type System, startSystem } from '../support/system.js'
import { until } from '../support/until.js'

type PageWindow = Window & {
  slotstream: {
    track(event: string, properties?: object): void
    reset(): void
    personalize(slotId: string, options?: object): Promise<{ outcome: string; decisionId: string }>
  }
  violations: string[]
}

let system: System
let browser: Browser
let site: Awaited<ReturnType<typeof startSite>>

const ALL =
  'data-clicks="auto" data-downloads data-element-views data-errors data-forms data-outbound-links data-linked-id data-link-domains="localhost 127.0.0.1"'
const page = (body: string, attributes = ALL) => `<!doctype html><html lang="en"><head><meta charset="utf-8">
  <link rel="icon" href="data:,"><title>Shop</title>
  <script async src="${system.collectorUrl}/sdk.js" data-write-key="demo" ${attributes}></script></head><body>${body}</body></html>`
const TEMPLATE = '<template data-slot-template><h2 data-text="title"></h2><p data-html="text">own</p></template>'

beforeAll(async () => {
  system = await startSystem()
  browser = await launchChromium()
  for (const [id, holdout] of [
    ['open', 0],
    ['held', 1],
  ] as const)
    await system.admin('PUT', `/sites/demo/slots/${id}`, { policy: { type: 'random' }, count: 1, holdout })
  await system.admin('PUT', '/sites/demo/content/greeting', {
    slots: ['open', 'held'],
    category: 'camp',
    payload: { title: 'Hello', text: 'so <b>bold</b><img src="x" onerror="document.title = 1">' },
  })
  const slots = `<div data-slot="open"><p>own</p>${TEMPLATE}</div>`
  const strict = `default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src ${system.collectorUrl}; connect-src ${system.collectorUrl}; require-trusted-types-for 'script'`
  site = await startSite({
    '/': {
      html: page(`<button id="plan" data-track="Plan Chosen" data-track-plan="pro">Choose</button>
        <button id="other">Open the <b>menu</b></button>
        <a id="away" target="_blank" href="https://elsewhere.example/a?token=secret">Elsewhere</a>
        <a id="file" download href="data:text/plain,x">No file of a server</a>
        <a id="list" href="/list.pdf?sig=secret" target="_blank">Price list</a>
        <form id="sign-up" action="/next"><input name="mail" value="ann@example.com"><button>Send</button></form>
        <div style="height: 3000px"></div>
        <section data-track-view="Pricing Seen" style="height: 300px"></section>
        <a id="sister" href="/next">Sister</a>`),
    },
    '/cookie': { html: page('<p>cookie</p>', 'data-id-cookie="include"').replace('"demo"', '"cookie"') },
    '/next': { html: page('<p>next</p>') },
    '/held': { html: page(`<div data-slot="held"><a href="#x" id="own">own</a>${TEMPLATE}</div>`) },
    '/strict': {
      html: page(slots, 'data-raw-html'),
      headers: { 'Content-Security-Policy': `${strict}; trusted-types slotstream` },
    },
    '/strictest': {
      html: page(slots, 'data-raw-html'),
      headers: { 'Content-Security-Policy': `${strict}; trusted-types 'none'` },
    },
    '/rendered': {
      html: page(
        `<div data-slot="open" data-decision-id="made-on-a-server"><p id="item" data-content-id="greeting">Hello</p></div>`,
      ),
    },
  })
})

afterAll(async () => {
  await browser?.close()
  await site?.stop()
  await system?.stop()
})

interface Row {
  event: string
  anonymous_id: string
  session_id: string
  view: string
  properties: Record<string, unknown>
}

/** Rows of visitors that have these events, once they are all there. */
const rowsOf = (anonymousId: string, wanted: string[]) =>
  until(
    `the rows ${wanted}`,
    () =>
      system.query<Row>(
        `SELECT event, anonymous_id, session_id, toString(context.pageViewId) AS view, properties FROM slotstream.events
         WHERE anonymous_id = '${anonymousId}' AND type = 'track'`,
      ),
    rows => wanted.every(event => rows.some(row => row.event === event)),
    { timeoutMs: 60_000 },
  )
const visitor = (page: Page) => page.evaluate(() => localStorage.getItem('slotstream.anonymousId') ?? '')
/** Parts load after the page; their files have then been run. */
const ready = async (page: Page, path: string, parts = ['clicks', 'slots']) => {
  const loaded = Promise.all(
    parts.map(part => page.waitForResponse(response => response.url().includes(`/sdk/${part}.js`))),
  )
  await page.goto(path)
  await loaded
  await page.waitForFunction(() => 'slotstream' in window)
  await page.evaluate(() => new Promise(resolve => setTimeout(resolve, 100)))
}

describe('what a page captures by itself', () => {
  it('arrives as rows of one page view, and holds nothing of what people type', async () => {
    const context = await browser.newContext()
    const page = await context.newPage()
    await ready(page, site.url, [
      'clicks',
      'downloads',
      'element-views',
      'errors',
      'forms',
      'outbound-links',
      'link-domains',
    ])
    await page.evaluate(() =>
      addEventListener('slotstream:captured', event => {
        if ((event as CustomEvent).detail.event === 'Pricing Seen') Object.assign(window, { seenPricing: true })
      }),
    )
    await page.click('#plan')
    await page.click('#other b')
    for (const link of ['#away', '#list']) {
      const opened = context.waitForEvent('page')
      await page.click(link)
      await (await opened).close()
    }
    await page.evaluate(() => {
      setTimeout(() => {
        throw new RangeError('too far')
      })
      setTimeout(() => Promise.reject(new TypeError('no such thing')))
    })
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight))
    await page.waitForFunction(() => 'seenPricing' in window)
    const anonymousId = await visitor(page)
    // The page goes in the same moment.
    await Promise.all([page.waitForURL('**/next?**'), page.click('#sign-up button')])
    const wanted = [
      'Plan Chosen',
      'Element Clicked',
      'Outbound Link Clicked',
      'File Downloaded',
      'Page Error',
      'Pricing Seen',
      'Form Submitted',
    ]
    const rows = await rowsOf(anonymousId, wanted)
    const propertiesOf = (event: string) => rows.filter(row => row.event === event).map(({ properties }) => properties)
    expect(propertiesOf('Plan Chosen')).toEqual([{ plan: 'pro' }])
    expect(propertiesOf('Element Clicked')).toContainEqual({
      tag: 'button',
      selector: 'button#other',
      text: 'Open the menu',
    })
    expect(propertiesOf('Outbound Link Clicked')).toEqual([
      { url: 'https://elsewhere.example/a', host: 'elsewhere.example', text: 'Elsewhere' },
    ])
    expect(propertiesOf('File Downloaded')).toEqual([
      { url: `${site.url}/list.pdf`, name: 'list.pdf', extension: 'pdf', text: 'Price list' },
    ])
    expect(propertiesOf('Form Submitted')).toEqual([{ formId: 'sign-up' }])
    expect(
      propertiesOf('Page Error')
        .map(({ message }) => message)
        .sort(),
    ).toEqual(['TypeError: no such thing', 'Uncaught RangeError: too far'])
    expect(JSON.stringify(rows)).not.toMatch(/secret|ann@/)
    expect(new Set(rows.filter(row => wanted.includes(row.event)).map(({ view }) => view)).size).toBe(1)
    await context.close()
  })

  it('takes the visitor along to another domain of the same owner, and leaves no trace in either address', async () => {
    const context = await browser.newContext()
    const page = await context.newPage()
    await ready(page, `${site.url}/`, ['link-domains'])
    const anonymousId = await visitor(page)
    const target = `${site.otherUrl}/next?a=1#top`
    await page.evaluate(href => document.querySelector('#sister')?.setAttribute('href', href), target)
    await Promise.all([page.waitForURL(url => url.hostname === 'localhost'), page.click('#sister')])
    await page.waitForFunction(() => 'slotstream' in window)
    expect(await visitor(page)).toBe(anonymousId)
    await page.waitForURL(target)
    await context.close()
  })
})

it('a collector of the same site brings a visitor back whose storage was cleared', async () => {
  await system.admin('PUT', '/sites/cookie', {
    name: 'Cookie',
    writeKeys: ['cookie'],
    allowedOrigins: [site.url],
    enrichment: { idCookie: true },
  })
  const context = await browser.newContext()
  const page = await context.newPage()
  const cookie = () => page.evaluate(() => /slotstream_id=([\w-]+)/.exec(document.cookie)?.[1])
  const visit = async () => {
    await page.goto(`${site.url}/cookie`)
    await page.waitForFunction(() => 'slotstream' in window)
    return visitor(page)
  }
  const first = await visit()
  await until('the cookie', cookie, id => id === first)
  await page.evaluate(() => localStorage.clear())
  expect(await visit()).toBe(first)
  await page.evaluate(() => (window as unknown as PageWindow).slotstream.reset())
  expect(await cookie()).toBeUndefined()
  await context.close()
})

describe('tabs of one browser', () => {
  it('share the visitor and the session, and a reset', async () => {
    const context = await browser.newContext()
    const [one, two] = [await context.newPage(), await context.newPage()]
    await one.goto(`${site.url}/next`)
    await one.waitForFunction(() => 'slotstream' in window)
    await two.goto(`${site.url}/next`)
    await two.waitForFunction(() => 'slotstream' in window)
    const track = (page: Page, event: string) =>
      page.evaluate(event => (window as unknown as PageWindow).slotstream.track(event), event)
    const before = await visitor(one)
    await track(one, 'In One')
    await track(two, 'In Two')
    const shared = await rowsOf(before, ['In One', 'In Two'])
    expect(new Set(shared.map(({ session_id }) => session_id)).size).toBe(1)

    await one.evaluate(() => (window as unknown as PageWindow).slotstream.reset())
    const after = await visitor(one)
    expect(after).not.toBe(before)
    await until(
      'the other tab knows',
      async () => {
        await track(two, 'After')
        return system.query(`SELECT 1 FROM slotstream.events WHERE anonymous_id = '${after}' AND event = 'After'`)
      },
      rows => rows.length > 0,
      { timeoutMs: 60_000 },
    )
    const [row] = await rowsOf(after, ['After'])
    expect(row?.session_id).not.toBe(shared[0]?.session_id)
    await context.close()
  })
})

describe('slots', () => {
  const filled = (page: Page) => page.waitForSelector('[data-slot][data-slot-state]')

  it("count what held-out visitors see of the page's own content, for the lift to compare with", async () => {
    const context = await browser.newContext()
    const page = await context.newPage()
    const decided = async () => {
      await ready(page, `${site.url}/held`, ['slots'])
      await filled(page)
      return page.getAttribute('[data-slot]', 'data-decision-id')
    }
    const decisionId = await until('the visitor is held out', decided, Boolean)
    await page.click('#own')
    const [row] = await until(
      'the impression',
      () =>
        system.query<{ viewed: boolean; clicked: boolean; holdout: boolean; content_id: string }>(
          `SELECT viewed, clicked, holdout, content_id FROM slotstream.decision_rewards WHERE decision_id = '${decisionId}'`,
        ),
      rows => rows.some(({ viewed, clicked }) => viewed && clicked),
      { timeoutMs: 60_000 },
    )
    expect(row).toMatchObject({ holdout: true, content_id: '' })
    expect(await page.textContent('#own')).toBe('own')
    await context.close()
  })

  it('watch what a server has rendered, and ask for nothing', async () => {
    const context = await browser.newContext()
    const page = await context.newPage()
    let asked = 0
    page.on('request', request => {
      if (request.url().includes('/v1/slots')) asked++
    })
    await ready(page, `${site.url}/rendered`, ['slots'])
    const anonymousId = await visitor(page)
    await page.click('#item')
    const rows = await rowsOf(anonymousId, ['Slot Viewed', 'Slot Clicked'])
    const properties = { slotId: 'open', contentId: 'greeting', decisionId: 'made-on-a-server', position: 1 }
    for (const row of rows.filter(({ event }) => event.startsWith('Slot '))) expect(row.properties).toEqual(properties)
    expect(asked).toBe(0)
    await context.close()
  })

  it.each([
    ['by the policy the page allows', '/strict', 'bold'],
    ['not at all without one, and break nothing', '/strictest', undefined],
  ])('write HTML under Trusted Types %s', async (_how, path, bold) => {
    const context = await browser.newContext()
    const page = await context.newPage()
    const errors: string[] = []
    page.on('pageerror', error => errors.push(error.message))
    const state = async () => {
      await page.goto(`${site.url}${path}`)
      return (await filled(page)).getAttribute('data-slot-state')
    }
    await until('the slot is served', state, it => it === 'served')
    expect(await page.textContent('[data-slot] h2')).toBe('Hello')
    expect(await page.evaluate(() => document.querySelector('[data-slot] b')?.textContent)).toBe(bold)
    expect(await page.title()).toBe('Shop')
    expect(errors).toEqual([])
    await context.close()
  })
})

import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { createMicro } from '@slotstream/collector'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { launchChromium } from '../support/chromium.js'
import { quietLog } from '../support/quiet-log.js'
import { type SitePage, startSite } from '../support/site.js'
import { until } from '../support/until.js'

interface Sent {
  messageId: string
  type: string
  event?: string
  siteId: string
  anonymousId: string
  userId?: string
  context: { identity?: { signature: string }; page: { url: string; referrer: string } }
}
type PageWindow = Window & {
  slotstream: {
    track(event: string): void
    identify(id: string, traits?: object, options?: object): void
    alias(id: string): void
    reset(): void
    consent(choice: string): void
    flush(): Promise<void>
    hydrate(decisions: object): void
    personalize(id: string, options: object): Promise<unknown>
  }
  harm: string[]
}

const micro = createMicro({
  sdkFile: fileURLToPath(new URL('../../sdk/dist/slotstream.js', import.meta.url)),
  log: quietLog(),
})
let collector: string
let browser: Browser
let context: BrowserContext
let page: Page
/** The owner's website under its two names, and another owner's. */
const pages: Record<string, SitePage> = {}
let shop: Awaited<ReturnType<typeof startSite>>
let evil: Awaited<ReturnType<typeof startSite>>

const html = (head: string, body = ''): SitePage => ({
  html: `<!doctype html><html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,"><title>Shop</title>
    <script>harm = []</script>${head}</head><body>${body}</body></html>`,
})
const tag = (attributes = '') => `<script src="${collector}/sdk.js" data-write-key="shop" ${attributes}></script>`

beforeAll(async () => {
  collector = `http://127.0.0.1:${await micro.listen(0, '127.0.0.1')}`
  browser = await launchChromium()
  shop = await startSite(pages)
  evil = await startSite({})
  pages['/plain'] = html(tag())
  pages['/linked'] = html(tag('data-linked-id data-link-domains="localhost"'))
  pages['/links-only'] = html(tag('data-link-domains="localhost"'))
  pages['/clobbered'] = html(
    '',
    `<img name="currentScript" src="${evil.url}/sdk.js" data-write-key="evil" data-endpoint="${evil.url}" alt="">
     <a id="slotstream" href="#x">Slotstream</a>${tag()}`,
  )
}, 120_000)

afterAll(async () => {
  await browser?.close()
  await shop?.stop()
  await evil?.stop()
  await micro.stop()
})

beforeEach(async () => {
  await fetch(`${collector}/micro/reset`)
  context = await browser.newContext()
  page = await context.newPage()
})

afterEach(() => context.close())

const good = async (): Promise<Sent[]> => (await fetch(`${collector}/micro/good`)).json() as Promise<Sent[]>
const flush = () => page.evaluate(() => (window as unknown as PageWindow).slotstream.flush())
const arrived = (count: number) =>
  until(
    `${count} messages`,
    async () => (await good()).filter(({ type, event }) => type !== 'track' || !/^(Web|Page E)/.test(event ?? '')),
    sent => sent.length >= count,
  )

/** Follows a link that a page of some origin has, as a visitor does. */
async function followFrom(origin: string, href: string, more: { rel?: string } = {}) {
  await page.route(`${origin}/from`, route =>
    route.fulfill({
      contentType: 'text/html',
      body: `<!doctype html><a id="go" rel="${more.rel ?? ''}" href="${href}">Go</a>`,
    }),
  )
  await page.goto(`${origin}/from`)
  await page.click('#go')
  await page.waitForURL(/linked|plain|links-only/)
  await page.waitForFunction(() => 'slotstream' in window)
  await flush()
}

/** Signatures of the messages that a page sends, by message id. Collectors take them out of what they keep. */
function signaturesSent(page: Page): Map<string, string | undefined> {
  const signatures = new Map<string, string | undefined>()
  page.on('request', request => {
    const body = /\/v1\/(b|batch|slots)\b/.test(request.url()) && request.postDataBuffer()
    if (!body) return
    const isGzip = body[0] === 0x1f && body[1] === 0x8b
    const { batch = [], batches = [] } = JSON.parse(String(isGzip ? gunzipSync(body) : body)) as SentBody
    for (const { messageId, context } of [...batch, ...batches.flatMap(each => each.batch)])
      signatures.set(messageId, context.identity?.signature)
  })
  return signatures
}

interface SentBody {
  batch?: Sent[]
  batches?: { batch: Sent[] }[]
}

describe('a signed identity', () => {
  it('is in every message with that user id and in requests for slots, and ends with reset, consent or another identify', async () => {
    const signatures = signaturesSent(page)
    const slots = page.waitForRequest(request => request.url().includes('/v1/slots'))
    await page.goto(`${shop.url}/plain`)
    await page.evaluate(() => {
      const { identify, personalize, track } = (window as unknown as PageWindow).slotstream
      identify('ann', { plan: 'pro' }, { signature: 'aa11' })
      track('A')
      void personalize('hero', { timeout: 60_000 })
    })
    expect(JSON.parse((await slots).postData() ?? '{}')).toMatchObject({ userId: 'ann', signature: 'aa11' })
    // Kept by the browser, as the id is.
    await page.reload()
    await page.evaluate(async () => {
      const { alias, flush, identify, reset, track } = (window as unknown as PageWindow).slotstream
      track('B')
      alias('anna')
      identify('bob')
      track('C')
      identify('ann', {}, { signature: 'aa22' })
      reset()
      track('D')
      await flush()
    })
    const sent = (await arrived(10)).map(({ type, event, userId, messageId }) => [
      event ?? type,
      userId,
      signatures.get(messageId),
    ])
    expect(sent.filter(([name]) => name !== 'Slot Fell Back')).toEqual([
      ['page', undefined, undefined],
      ['identify', 'ann', 'aa11'],
      ['A', 'ann', 'aa11'],
      ['page', 'ann', 'aa11'],
      ['B', 'ann', 'aa11'],
      ['alias', 'anna', undefined],
      ['identify', 'bob', undefined],
      ['C', 'bob', undefined],
      ['identify', 'ann', 'aa22'],
      ['D', undefined, undefined],
    ])
    await page.evaluate(() => {
      const { consent, identify } = (window as unknown as PageWindow).slotstream
      identify('ann', {}, { signature: 'aa33' })
      consent('denied')
    })
    const kept = await page.evaluate(() => JSON.stringify({ ...localStorage }))
    expect(kept).not.toMatch(/ann|aa33/)
  })
})

describe('the id that a link carries', () => {
  const link = (path = '/linked', id = 'attacker', at = Date.now()) =>
    `${shop.url}${path}?a=1&slotstream_id=${id}.${at}&b`

  it('is taken over from a domain of the owner', async () => {
    await followFrom(shop.otherUrl, link())
    expect((await arrived(1))[0]).toMatchObject({ anonymousId: 'attacker' })
    expect(page.url()).toBe(`${shop.url}/linked?a=1&b`)
  })

  it.each([
    ['a foreign site', () => evil.url, {}, () => link()],
    ['a page that hides where it is', () => shop.otherUrl, { rel: 'noreferrer' }, () => link()],
    [
      'a domain of the owner, with an old link',
      () => shop.otherUrl,
      {},
      () => link('/linked', 'attacker', Date.now() - 130_000),
    ],
    [
      'a domain of the owner, with a link of the future',
      () => shop.otherUrl,
      {},
      () => link('/linked', 'attacker', Date.now() + 60_000),
    ],
    ['a domain of the owner, with an id of another shape', () => shop.otherUrl, {}, () => link('/linked', 'user:bob')],
  ] as const)('is rejected from %s, and taken out of the address', async (_name, from, more, href) => {
    await followFrom(from(), href(), more)
    const [first] = await arrived(1)
    expect(first?.anonymousId).toMatch(/^[0-9a-f]{8}-/)
    expect(page.url()).toBe(`${shop.url}/linked?a=1&b`)
    expect(JSON.stringify(await good())).not.toContain('slotstream_id=')
  })

  it('does nothing where the option is off', async () => {
    await followFrom(shop.otherUrl, link('/links-only'))
    expect((await arrived(1))[0]?.anonymousId).toMatch(/^[0-9a-f]{8}-/)
  })
})

describe('what else a page may get from outside', () => {
  it('changes nothing: addresses, messages of other windows, events and elements', async () => {
    const query =
      'writeKey=evil&endpoint=https://evil.example&consent=denied&debug=1&anonymousId=evil&userId=evil&slotstream-consent=denied'
    await page.goto(`${shop.url}/plain?${query}#debug`)
    await page.waitForFunction(() => 'slotstream' in window)
    await page.evaluate(() => {
      for (const data of [
        { slotstream: 'identify', userId: 'evil' },
        { type: 'slotstream:consent', analytics: 'denied' },
        ['identify', 'evil'],
      ])
        window.postMessage(data, '*')
      new BroadcastChannel('slotstream').postMessage({ userId: 'evil' })
      document.body.insertAdjacentHTML(
        'beforeend',
        '<div data-write-key="evil" data-endpoint="https://evil.example" data-user-id="evil" data-consent="denied"></div>',
      )
    })
    await page.evaluate(() => new Promise(resolve => setTimeout(resolve, 50)))
    await page.evaluate(() => (window as unknown as PageWindow).slotstream.track('After'))
    await flush()
    const sent = await arrived(2)
    for (const { siteId, userId, anonymousId } of sent) {
      expect([siteId, userId]).toEqual(['shop', undefined])
      expect(anonymousId).toMatch(/^[0-9a-f]{8}-/)
    }
    expect(await page.locator('slotstream-inspector').count()).toBe(0)
  })

  it('does not load code from, nor write to, an address that a visitor has written into the page', async () => {
    const asked: string[] = []
    page.on('request', request => {
      if (request.url().startsWith(evil.url) && request.resourceType() !== 'image') asked.push(request.url())
    })
    await page.goto(`${shop.url}/clobbered`)
    await page.waitForLoadState('networkidle')
    expect(asked).toEqual([])
    expect(await page.evaluate(() => typeof (window as unknown as PageWindow).slotstream.track)).toBe('function')
    expect((await good()).filter(({ siteId }) => siteId !== 'shop')).toEqual([])
  })
})

describe('a payload that somebody has poisoned', () => {
  const script = "harm.push('ran')"
  const url = `javascript:${script}`
  const payload = {
    code: script,
    css: 'body { background: url(https://evil.example/css) }',
    url,
    tabbed: `java\tscr\nipt:${script}`,
    spaced: `\u0001 ${url}`,
    data: `data:text/html,<script>parent.${script}</script>`,
    markup: `<img src=x onerror="${script}">`,
    refresh: 'refresh',
    to: '0;url=https://evil.example/',
    evil: 'https://evil.example/',
    href: 'href',
    name: 'currentScript',
    title: 'Tea',
    good: '/tea?a=1',
  }
  const TEMPLATE = `<template data-slot-template>
    <script data-text="code"></script><style data-text="css"></style>
    <svg><script data-text="code"></script><style data-text="css"></style>
      <a data-attr="href:url;xlink:href:url"><animate data-attr="attributeName:href;values:url;to:url"></animate><text>x</text></a>
      <use data-attr="href:evil;xlink:href:evil"></use><image data-attr="href:evil"></image></svg>
    <meta data-attr="http-equiv:refresh;content:to"><base data-attr="href:evil"><link data-attr="href:evil;rel:title">
    <link rel="stylesheet" data-attr="href:evil">
    <iframe data-attr="src:url;srcdoc:markup" data-text="markup"></iframe><iframe data-attr="src:data"></iframe>
    <object data-attr="data:url"></object><embed data-attr="src:url">
    <noscript data-text="markup"></noscript><xmp data-text="markup"></xmp><template data-text="markup"></template>
    <form data-attr="action:url"><button data-attr="formaction:url">x</button></form>
    <a class="bad" data-attr="href:url;onclick:code;ping:evil;style:css;target:name;rel:name">x</a>
    <a class="bad" data-attr="href:tabbed">x</a><a class="bad" data-attr="href:spaced">x</a><a class="bad" data-attr="href:data">x</a>
    <img data-attr="onerror:code;src:url;srcset:evil;name:name;id:name"><video data-attr="src:url;poster:url"></video>
    <div data-attr="is:name;nonce:code;id:name" data-text="markup"></div><textarea data-text="markup"></textarea>
    <title data-text="markup"></title>
    <a id="good" data-attr="href:good;title:title" data-text="title"></a></template>`

  it.each(['', 'data-debug'])('runs nothing, loads nothing and leads nowhere; the rest is shown (%s)', async debug => {
    const asked: string[] = []
    const warnings: string[] = []
    page.on('request', request => void (request.url().includes('evil.example') && asked.push(request.url())))
    page.on('console', entry => void (entry.type() === 'warning' && warnings.push(entry.text())))
    pages['/slots'] = html('', `<div data-slot="hero">${TEMPLATE}</div>${tag(`data-slot-timeout="60000" ${debug}`)}`)
    await page.route('**/v1/slots*', route =>
      route.fulfill({
        headers: { 'Access-Control-Allow-Origin': '*' },
        json: {
          decisions: [
            { slotId: 'hero', decisionId: 'd', outcome: 'served', items: [{ contentId: 'c', position: 1, payload }] },
          ],
        },
      }),
    )
    await page.goto(`${shop.url}/slots`)
    await page.waitForSelector('[data-slot-state=served]')
    for (const link of await page.locator('a.bad, svg a').all())
      await link.evaluate(element =>
        element.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true })),
      )
    await page.evaluate(() => new Promise(resolve => setTimeout(resolve, 200)))

    expect(await page.evaluate(() => (window as unknown as PageWindow).harm)).toEqual([])
    expect(asked).toEqual([])
    expect(page.url()).toBe(`${shop.url}/slots`)
    const slot = page.locator('[data-slot=hero]')
    expect(await slot.locator('#good').getAttribute('href')).toBe('/tea?a=1')
    expect(await slot.locator('#good').textContent()).toBe('Tea')
    expect(
      await slot
        .locator('[onclick], [onerror], [srcdoc], [style]:not(template), [http-equiv], [formaction], [action]')
        .count(),
    ).toBe(0)
    // What a page reads back and writes again is still no markup.
    const again = await slot.evaluate(element => {
      const copy = document.createElement('div')
      copy.innerHTML = element.innerHTML
      return copy.querySelectorAll('img[src=x]').length
    })
    expect(again).toBe(0)
    if (debug)
      expect(warnings.filter(text => text.includes('[slotstream] refused: payloads')).length).toBeGreaterThan(20)
  })

  it('is held to the same when it came with the page', async () => {
    pages['/slots'] = html(tag('data-slot-timeout="60000"'), '<main></main>')
    await page.goto(`${shop.url}/slots`)
    await page.waitForFunction(() => 'slotstream' in window)
    await page.evaluate(
      ([template, payload]) => {
        const { hydrate } = (window as unknown as PageWindow).slotstream
        hydrate({
          slotId: 'hero',
          decisionId: 'd',
          outcome: 'served',
          items: [{ contentId: 'c', position: 1, payload }],
        })
        const main = document.querySelector('main')
        if (main) main.innerHTML = `<div data-slot="hero">${template}</div>`
      },
      [TEMPLATE, payload] as const,
    )
    await page.waitForSelector('[data-slot-state=served]')
    await page.evaluate(() => new Promise(resolve => setTimeout(resolve, 200)))
    expect(await page.evaluate(() => (window as unknown as PageWindow).harm)).toEqual([])
    expect(await page.locator('#good').textContent()).toBe('Tea')
  })
})

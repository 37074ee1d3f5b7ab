import { describe, expect, it } from 'vitest'
import type { ServedPage } from '../support/gateway.js'
import { until } from '../support/until.js'
import { browser, world } from './chromium-world.js'
import { numberOf, type PageWindow, pageOf, SDK, upTo, WRITE_KEY } from './world.js'

/** The page's own script, a file: it looks for trouble, and tracks twenty messages. */
const capture = (event: string): ServedPage => ({
  html: `addEventListener('securitypolicyviolation', ({ violatedDirective, sample }) => fetch('/mark?' + encodeURIComponent(violatedDirective + sample)))
    addEventListener('error', ({ message }) => fetch('/mark?' + encodeURIComponent(message)))
    addEventListener('unhandledrejection', ({ reason }) => fetch('/mark?' + encodeURIComponent(String(reason))))
    for (let i = 0; i < 20; i++) slotstream.track('${event}', { i, list: [1, { two: 2 }] })`,
  headers: { 'Content-Type': 'text/javascript' },
})

const CAPTURE = '<script src="/capture.js"></script>'

const policies: [string, string][] = [
  ['that allows nothing but its own origin', "default-src 'self'"],
  [
    'that requires Trusted Types and allows no policy',
    "default-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'",
  ],
]

const arrived = (event: string, count: number) =>
  until(
    `${count} of ${event} are stored`,
    () => world.stored(event),
    ({ length }) => length >= count,
  )

describe('a page', () => {
  it.each(policies)('with a Content Security Policy %s is served as any other', async (name, policy) => {
    const body = `${SDK}${CAPTURE}<div data-slot="hero">Own</div>`
    const network = await world.network({
      '/strict': pageOf(body, { 'Content-Security-Policy': policy }),
      '/capture.js': capture(name),
    })
    const page = await browser.newPage()
    await page.goto(`${network.url}/strict`)
    expect((await world.arrival(name, 20)).map(numberOf)).toEqual(upTo(20))
    // Parts that load on demand do, too: the first vital comes of a file of its own.
    await until(
      'parts are loaded',
      () => page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name)),
      names => names.some(name => name.includes('/sdk/defaults.js')),
    )
    expect(network.marks).toEqual([])
    await page.close()
  })

  it('that named its elements as what is part of a document is measured all the same', async () => {
    const event = 'Hostile'
    const body = `${SDK}
      <script id="slotstream"></script><img name="title"><a id="analytics"></a>
      <form data-track="${event}" onclick="return false"><input name="matches"><input name="children"><input name="closest">
        <button>Buy</button></form>
      <script>
        Array.prototype.toJSON = function () { return '"' + this.join() + '"' }
        slotstream.track('${event}', { list: [1, 2], big: 175928847299117063n, ...JSON.parse('{"__proto__": 1}') })
      </script>`
    const network = await world.network({
      '/hostile': pageOf(body.replace('data-write-key', 'data-clicks="auto" data-write-key')),
    })
    const page = await browser.newPage()
    await page.goto(`${network.url}/hostile?utm_source=mail&utm___proto__=x&long=${'x'.repeat(9_000)}`)
    await page.waitForFunction(
      () => performance.getEntriesByName(`${location.origin}/sdk/clicks.js?v=0.1.0`).length > 0,
    )
    await page.click('button')
    const [tracked, clicked] = await arrived(event, 2)
    expect(tracked).toMatchObject({
      properties: { list: [1, 2], big: '175928847299117063' },
      context: { campaign: { source: 'mail' }, page: { title: 'Page', path: '/hostile', shortened: true } },
    })
    expect((tracked!.context!.page as { url: string }).url).toHaveLength(2_048)
    expect(clicked?.properties).toEqual({})
    await page.close()
  })

  it('replays the calls that it made before the script came, and says what is wrong with its tags', async () => {
    const event = 'Queued'
    const stub = `<script>
      window.slotstream = window.slotstream || []
      slotstream.push(['track', '${event}', { n: 1 }])
      slotstream.push(['hydrate'], ['no such'], () => { throw new Error('not today') })
      slotstream.push(() => slotstream.track('${event}', { n: 1.5 }))
    </script>`
    const later = `<script>slotstream.push(['track', '${event}', { n: 2 }])</script>`
    const network = await world.network({
      '/stub': pageOf(
        `<b id="slotstream"></b>${stub.replace('window.slotstream ||', '')}${SDK}${later}${SDK.replace(/data-write-key="[^"]*"/, 'data-write-key="other"')}`,
      ),
      '/keyless': pageOf(SDK.replace(/data-write-key="[^"]*"/, '')),
    })
    const page = await browser.newPage()
    const said: string[] = []
    page.on('console', message => said.push(message.text()))
    await page.goto(`${network.url}/stub`)
    expect((await arrived(event, 3)).map(({ properties }) => properties?.n)).toEqual([1, 1.5, 2])
    await page.goto(`${network.url}/keyless`)
    await until(
      'both are said',
      () => said.filter(text => text.startsWith('[slotstream]')),
      lines => lines.length > 1,
    )
    expect(said.filter(text => text.startsWith('[slotstream]'))).toEqual([
      '[slotstream] is here already',
      '[slotstream] init needs a writeKey',
    ])
    await page.close()
  })

  it('in a frame of another site is served as any other', async () => {
    const event = 'In A Frame'
    const network = await world.network({ '/framed': pageOf(SDK + CAPTURE), '/capture.js': capture(event) })
    const outer = await world.network({
      '/outer': pageOf(`<iframe src="${network.url.replace('127.0.0.1', 'localhost')}/framed"></iframe>`),
    })
    const page = await browser.newPage()
    await page.goto(`${outer.url}/outer`)
    expect((await world.arrival(event, 20)).map(numberOf)).toEqual(upTo(20))
    expect(network.marks).toEqual([])
    await page.close()
  })

  it('in a sandboxed frame, without any storage, is delivered while it lives', async () => {
    const event = 'In A Sandbox'
    const network = await world.network({
      '/framed': pageOf(SDK + CAPTURE),
      '/capture.js': capture(event),
      '/outer': pageOf('<iframe src="/framed" sandbox="allow-scripts"></iframe>'),
    })
    const page = await browser.newPage()
    await page.goto(`${network.url}/outer`)
    expect((await world.arrival(event, 20)).map(numberOf)).toEqual(upTo(20))
    expect(network.marks).toEqual([])
    await page.close()
  })

  it.each([
    [
      'frozen prototypes',
      'for (const { prototype } of [Object, Array, Function, Promise, Map, Set, String]) Object.freeze(prototype)',
    ],
    [
      'prototypes that were added to',
      'Array.prototype.last = function () {}; Object.prototype.also = function () {}; String.prototype.at2 = 1',
    ],
    [
      'a fetch that another script has wrapped',
      'const own = fetch; window.fetch = function (...request) { return own.apply(this, request).then(answer => answer.clone()) }',
    ],
    [
      'a fetch that throws, until it is mended',
      'const own = fetch; window.fetch = () => { throw new Error("not today") }; setTimeout(() => { window.fetch = own }, 1500)',
    ],
    [
      'listeners that throw',
      'for (const name of ["captured", "sent", "acknowledged"]) addEventListener("slotstream:" + name, () => { throw 1 })',
    ],
  ])('with %s is served as any other, and finds its own things as they were', async (name, script) => {
    const network = await world.network({
      '/hostile': pageOf(`<script>${script}</script><script>
        const names = () => Object.getOwnPropertyNames(Array.prototype).length + Object.getOwnPropertyNames(window.Object.prototype).length
        const before = names()</script>${SDK}${CAPTURE}`),
      '/capture.js': capture(name),
    })
    const page = await browser.newPage()
    await page.goto(`${network.url}/hostile`)
    const messages = await world.arrival(name, 20)
    expect(messages.map(numberOf)).toEqual(upTo(20))
    expect(messages[0]?.properties).toEqual({ i: 0, list: [1, { two: 2 }] })
    expect(await page.evaluate('names() === before')).toBe(true)
    // What listeners of the page throw is the page's own.
    if (name !== 'listeners that throw') expect(network.marks).toEqual([])
    await page.close()
  })

  it('without the SDK sends nothing, and a queue of ten lines in localStorage loses nothing here: the test can tell', async () => {
    const event = 'Control'
    const network = await world.network({
      '/control': pageOf(`<script>
        const send = () => {
          const batch = JSON.parse(localStorage.queue ?? '[]')
          if (batch.length) fetch('/v1/batch?writeKey=${WRITE_KEY}', { method: 'POST', body: JSON.stringify({ batch }) })
            .then(answer => answer.ok && localStorage.removeItem('queue'), () => {})
        }
        window.slotstream = { track(event, properties) {
          const queue = JSON.parse(localStorage.queue ?? '[]')
          queue.push({ messageId: crypto.randomUUID(), type: 'track', event, properties, anonymousId: 'control', timestamp: new Date() })
          localStorage.queue = JSON.stringify(queue)
        } }
        send()
      </script>`),
    })
    network.cut()
    const page = await browser.newPage()
    await page.goto(`${network.url}/blank`)
    await page.goto(`${network.url}/control`)
    await page.evaluate(event => {
      for (let i = 0; i < 20; i++) (window as unknown as PageWindow).slotstream.track(event, { i })
    }, event)
    await page.reload()
    await until(
      'it is tried while the network is cut',
      () => network.attempts.length,
      count => count > 0,
    )
    network.mend()
    expect(await world.stored(event)).toEqual([])
    await page.reload()
    expect((await world.arrival(event, 20)).map(numberOf)).toEqual(upTo(20))
    await page.close()
  })
})

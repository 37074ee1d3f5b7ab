import type { StoredMessage } from '@slotstream/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Browser, Tab } from '../support/engines/engine.js'
import { engines } from '../support/engines/engines.js'
import type { ServedPage } from '../support/gateway.js'
import { until } from '../support/until.js'
import { pageOf, SDK, startWorld, type World, WRITE_KEY } from './world.js'

/** What odd and busy pages do to the package, in every engine of this machine: each is started once for all of it. */
let world: World

beforeAll(async () => {
  world = await startWorld()
})

afterAll(() => world?.stop())

const served = (slotId: string) => ({
  slotId,
  decisionId: `d-${slotId}`,
  outcome: 'served',
  items: [{ contentId: 'tea', position: 1, payload: { title: 'Tea' } }],
})

/** What the collector would answer to a request for both slots of the page below. */
const decisions: ServedPage = {
  html: JSON.stringify({ decisions: [served('hero'), served('bare')] }),
  headers: { 'Content-Type': 'application/json' },
}

/** Waits in the page until a function of it returns something; evaluated there, so on its own. */
const inPage = <T>(tab: Tab, what: string, read: () => T | Promise<T>, isDone: (value: T) => boolean) =>
  until(what, () => tab.evaluate(read), isDone)

describe.each(await engines())('in $name', engine => {
  let browser: Browser

  beforeAll(async () => {
    browser = await engine.launch()
  })

  afterAll(() => browser?.close())

  /** Messages of the visitor who sent an event, once enough of them are stored. */
  const messagesOf = (event: string, isEnough: (messages: StoredMessage[]) => boolean) =>
    until(
      `messages of the visitor of ${event}`,
      async () => {
        const all = await world.everything()
        const visitor = all.find(message => message.event === event)?.anonymousId
        return all.filter(({ anonymousId }) => anonymousId === visitor)
      },
      isEnough,
    )

  it('a page that named its elements as what is part of a document, and patched lists, is measured all the same', async () => {
    const event = `Hostile ${engine.name}`
    const stub = `<script>
      window.said = []
      console.error = text => said.push(text)
      window.slotstream = [['track', '${event}', { n: 1 }]]
    </script>`
    const page = `<b id="slotstream"></b><img name="title"><form><input name="children"><input name="matches"></form>
      <script>Array.prototype.toJSON = function () { return '"' + this.join() + '"' }</script>${stub}${SDK}
      <script>
        slotstream.track('${event}', { n: 2, list: [1, 2], big: 175928847299117063n, ...JSON.parse('{"__proto__": 1}') })
      </script>${SDK.replace(WRITE_KEY, 'other')}`
    const network = await world.network({ '/hostile': pageOf(page) })
    const tab = await browser.open(`${network.url}/hostile?utm_source=mail&utm___proto__=x&long=${'x'.repeat(5_000)}`)
    const messages = await messagesOf(event, all => all.filter(message => message.event === event).length > 1)
    const tracked = messages.filter(message => message.event === event)
    expect(tracked.map(({ properties }) => properties)).toEqual([
      { n: 1 },
      { n: 2, list: [1, 2], big: '175928847299117063' },
    ])
    expect(tracked[1]).toMatchObject({
      context: { campaign: { source: 'mail' }, page: { title: 'Page', path: '/hostile', shortened: true } },
    })
    // As text: of a list the patch would make one, too.
    expect(await tab.evaluate(() => String((window as unknown as { said: string[] }).said))).toBe(
      '[slotstream] is here already',
    )
    await tab.close()
  })

  it('a tag without a key leaves it to the page, and says so only where the page has none either', async () => {
    const event = `Keyless ${engine.name}`
    const { url: collector } = await world.network()
    const keyless = `<script>window.said = []; console.error = text => said.push(text)</script>
      ${SDK.replace(/data-write-key="[^"]*"/, '').replace('src="', `src="${collector}`)}`
    const network = await world.network({
      '/later': pageOf(`${keyless}<script>
        slotstream.track('${event}')
        addEventListener('load', () => slotstream.init({ writeKey: '${WRITE_KEY}' }))
      </script>`),
      '/never': pageOf(keyless),
    })
    const said = () => (window as unknown as { said: string[] }).said
    const tab = await browser.open(`${network.url}/later`)
    await messagesOf(event, all => all.some(message => message.event === event))
    expect(await tab.evaluate(said)).toEqual([])
    // To where the script came from, which isn't the page's own origin.
    const requested = () => performance.getEntriesByType('resource').map(({ name }) => name)
    const posted = (names: string[]) => names.filter(name => name.includes('/v1/batch'))
    const names = await inPage(tab, 'requests', requested, all => posted(all).length > 0)
    expect(posted(names).every(name => name.startsWith(collector))).toBe(true)
    await tab.goto(`${network.url}/never`)
    await inPage(tab, 'what is said', said, lines => lines.length > 0)
    expect(await tab.evaluate(said)).toEqual(['[slotstream] init needs a writeKey'])
    await tab.close()
  })

  it('views of a single-page app have their own titles, and what was measured belongs to the view it was measured in', async () => {
    const event = `Routed ${engine.name}`
    const tag = SDK.replace('data-write-key', 'data-outbound-links data-write-key')
    const network = await world.network({
      '/spa': pageOf(`<h1>Hello</h1><script>
          window.seen = []
          addEventListener('slotstream:captured', ({ detail }) => seen.push(detail.event ?? detail.type))
          addEventListener('click', event => event.preventDefault())
        </script>${tag}<svg><a href="https://elsewhere.example/x"><text id="link">Elsewhere</text></a></svg>`),
    })
    const tab = await browser.open(`${network.url}/spa`)
    const seen = () => (window as unknown as { seen: string[] }).seen
    await inPage(tab, 'a vital of the load', seen, names => names.includes('Web Vital'))
    const isWatching = () =>
      performance.getEntriesByType('resource').some(({ name }) => name.includes('/sdk/outbound-links.js'))
    await inPage(tab, 'what watches links', isWatching, Boolean)
    await tab.evaluate(async (event: string) => {
      const pause = () => new Promise(resolve => setTimeout(resolve, 150))
      const { slotstream } = window as unknown as { slotstream: { track(event: string): void } }
      dispatchEvent(new Event('pointerdown'))
      await pause()
      history.pushState(null, '', '/second')
      await pause()
      document.title = 'Second'
      await pause()
      history.replaceState(null, '', '/Second/')
      document
        .querySelector('#link')!
        .dispatchEvent(new MouseEvent('click', { bubbles: true, composed: true, cancelable: true }))
      slotstream.track(event)
    }, event)
    const messages = await messagesOf(event, all => all.some(message => message.event === event))
    const views = messages.filter(({ type }) => type === 'page')
    expect(views.map(({ properties }) => [properties?.path, properties?.title])).toEqual([
      ['/spa', 'Page'],
      ['/second', 'Second'],
    ])
    const [first, second] = views.map(({ context }) => context?.pageViewId)
    const viewsOf = (name: string) =>
      new Set(messages.filter(it => it.event === name).map(it => it.context?.pageViewId))
    expect(viewsOf('Web Vital')).toEqual(new Set([first]))
    // A driver may have its tabs in the background, where no visitor is active.
    const isSeen = await tab.evaluate(() => document.visibilityState === 'visible')
    expect(viewsOf('Page Engaged')).toEqual(new Set(isSeen ? [first] : []))
    expect(viewsOf('Outbound Link Clicked')).toEqual(new Set([second]))
    await tab.close()
  })

  it('the plain tag fills slots, keeps what an empty template would wipe, and shows no person what was chosen for another', async () => {
    const event = `Slots ${engine.name}`
    const slot = (id: string, template: string) =>
      `<div data-slot="${id}"><p>Own</p><template data-slot-template>${template}</template></div>`
    const network = await world.network({
      // The deadline is not the subject here, on a busy machine neither.
      '/slots': pageOf(
        `${SDK.replace('data-write-key', 'data-slot-timeout="10000" data-write-key')}${slot('hero', '<b data-text="title"></b>')}${slot('bare', '')}`,
      ),
      '/v1/slots': decisions,
    })
    const tab = await browser.open(`${network.url}/slots`)
    const shown = () =>
      [...document.querySelectorAll<HTMLElement>('[data-slot]')].map(
        ({ dataset, children }) =>
          `${dataset.slotState} ${[...children].map(child => (getComputedStyle(child).display === 'none' ? '' : child.textContent)).join('')}`,
      )
    const reach = (wanted: string[]) =>
      inPage(tab, `slots that are ${wanted}`, shown, states => JSON.stringify(states) === JSON.stringify(wanted))
    await reach(['served Tea', 'fallback Own'])
    await tab.evaluate(() => (window as unknown as { slotstream: { reset(): void } }).slotstream.reset())
    await reach(['fallback Own', 'fallback Own'])
    await tab.evaluate(() => (window as unknown as { slotstream: { refresh(): void } }).slotstream.refresh())
    await reach(['served Tea', 'fallback Own'])
    // What sends comes after the slots, and delivers.
    await tab.evaluate((event: string) => {
      const { slotstream } = window as unknown as { slotstream: { track(event: string): void } }
      slotstream.track(event)
    }, event)
    await messagesOf(event, all => all.some(message => message.event === event))
    await tab.close()
  })
})

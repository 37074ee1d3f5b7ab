import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { until } from '../support/until.js'
import { browser, world } from './chromium-world.js'
import { pageOf, SDK, WRITE_KEY } from './world.js'

const TEMPLATE = '<template data-slot-template><b data-text="title"></b></template>'
const PAGE = pageOf(
  `${SDK.replace('data-write-key', 'data-slot-timeout="10000" data-write-key')}<main>
    <section data-slot="hero"><p style="color: red">Own</p>${TEMPLATE}</section>
    <section data-slot="text">Plain ${TEMPLATE}</section>
    <section data-slot="none"><p>None</p></section>
  </main>`,
)

interface Host extends Window {
  slotstream: { reset(): void; page(): void }
  keep(): void
  leave(): void
  back(): void
}

/** What libraries do that keep pages for the way back: as nodes (Turbo, Swup), and as text (htmx, pjax). */
const KEEPING: [string, string][] = [
  [
    'nodes',
    'const kept = document.body.cloneNode(true); window.back = () => document.body.replaceWith(kept.cloneNode(true))',
  ],
  [
    'text',
    `const kept = document.querySelector('main').innerHTML
     window.back = () => { document.body.innerHTML = '<main></main>'; document.querySelector('main').innerHTML = kept }`,
  ],
]

/** Opens the page, where each request for slots is answered with the visitor's id and a decision of its own. */
async function open(page: Page) {
  const network = await world.network({ '/slots': PAGE })
  const decided: string[] = []
  const requests: string[][] = []
  await page.route('**/v1/slots*', route => {
    const { anonymousId, slots } = JSON.parse(route.request().postData() ?? '{}')
    requests.push(slots.map(({ id }: { id: string }) => id))
    const decisions = slots.map(({ id }: { id: string }) => {
      decided.push(`d${decided.length}`)
      const items = id === 'none' ? [] : [{ contentId: 'tea', position: 1, payload: { title: anonymousId } }]
      return { slotId: id, decisionId: decided.at(-1), outcome: items.length ? 'served' : 'empty', items }
    })
    // The messages that it carries are sent again, to the collector.
    return route.fulfill({ json: { decisions } })
  })
  await page.goto(`${network.url}/slots`)
  return { decided, requests }
}

/** Reads of each slot its state, its decision, and what is visible of it. */
const look = (page: Page) =>
  page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('[data-slot]')].map(({ dataset, childNodes }) => ({
      state: dataset.slotState,
      decision: dataset.decisionId,
      text: [...childNodes]
        .filter(node => !(node instanceof Element) || getComputedStyle(node).display !== 'none')
        .map(node => node.textContent?.trim())
        .join(''),
    })),
  )

const visitor = (page: Page) => page.evaluate(() => localStorage.getItem('slotstream.anonymousId') ?? '')

/** Waits until all slots show what was decided for a visitor, later than some decisions. */
const shows = (page: Page, who: string, earlier: string[]) =>
  until(
    `slots of ${who}`,
    () => look(page),
    slots =>
      JSON.stringify(slots.map(({ state, text }) => [state, text])) ===
        JSON.stringify([
          ['served', who],
          ['served', who],
          ['fallback', 'None'],
        ]) && slots.every(({ decision }) => !decision || !earlier.includes(decision)),
  )

describe.each(KEEPING)('a page that a library keeps as %s', (_how, keep) => {
  it('is decided anew on the way back, and shows no person what was chosen for another', async () => {
    const page = await browser.newPage()
    const { decided, requests } = await open(page)
    const before = await visitor(page)
    await shows(page, before, [])
    await page.evaluate(keep)
    const leave = () => {
      history.pushState(0, '', '/other')
      document.body.innerHTML = '<main>Other</main>'
    }
    const back = () => {
      history.pushState(0, '', '/slots')
      ;(window as unknown as Host).back()
    }
    await page.evaluate(leave)
    const first = [...decided]
    await page.evaluate(back)
    await shows(page, before, first)
    // Once for all slots of the page.
    expect(requests).toHaveLength(2)
    expect(decided).toHaveLength(6)

    await page.evaluate(leave)
    await page.evaluate(() => (window as unknown as Host).slotstream.reset())
    const second = [...decided]
    await page.evaluate(back)
    await until(
      'another visitor',
      () => visitor(page),
      id => id !== before,
    )
    await shows(page, await visitor(page), second)

    // The page's own content is what it was.
    await page.evaluate(() => (window as unknown as Host).slotstream.reset())
    const own = await until(
      'own content',
      () => look(page),
      slots => slots.every(({ state }) => state === 'fallback'),
    )
    expect(own.map(({ text }) => text)).toEqual(['Own', 'Plain', 'None'])
    expect(await page.getAttribute('[data-slot="hero"] p', 'style')).toBe('color: red;')
    await page.close()
  })
})

it('a slot that a carousel repeats shows the same content in all places, by one decision, seen once', async () => {
  const page = await browser.newPage()
  const { decided } = await open(page)
  const who = await visitor(page)
  await shows(page, who, [])
  await page.evaluate(() => {
    const slot = document.querySelector('[data-slot="hero"]')
    slot?.after(slot.cloneNode(true))
    slot?.before(slot.cloneNode(true))
  })
  const slots = await until(
    'three that are alike',
    () => look(page),
    list => list.length === 5 && list.every(({ state }) => state),
  )
  expect(slots.slice(0, 3)).toEqual(Array(3).fill({ state: 'served', decision: 'd0', text: who }))
  expect(decided).toHaveLength(3)
  const seen = await until(
    'it is seen',
    async () =>
      (await world.everything()).filter(
        ({ event, anonymousId }) => event === 'Slot Viewed' && anonymousId === who && true,
      ),
    list => list.some(({ properties }) => properties?.slotId === 'text'),
  )
  expect(seen.filter(({ properties }) => properties?.slotId === 'hero')).toHaveLength(1)
  await page.close()
})

describe('a script tag of a module', () => {
  const tag = (attributes: string) => pageOf(`<script type="module" src="/sdk.js" ${attributes}></script>`)

  it('starts as any other', async () => {
    const network = await world.network({ '/module': tag(`data-write-key="${WRITE_KEY}" data-flush-at="1"`) })
    const page = await browser.newPage()
    await page.goto(`${network.url}/module`)
    const who = await until(
      'a visitor',
      () => visitor(page),
      id => id !== '',
    )
    await until(
      'its page view',
      async () => (await world.everything()).filter(({ type, anonymousId }) => type === 'page' && anonymousId === who),
      ({ length }) => length === 1,
    )
    await page.close()
  })

  it('says that it has no key', async () => {
    const network = await world.network({ '/module': tag('') })
    const page = await browser.newPage()
    const said: string[] = []
    page.on('console', message => said.push(message.text()))
    await page.goto(`${network.url}/module`)
    await until(
      'it is said',
      async () => said,
      texts => texts.includes('[slotstream] init needs a writeKey'),
    )
    await page.close()
  })
})

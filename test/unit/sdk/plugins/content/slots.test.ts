import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { hydrate, type Options, type SlotDecision } from '#sdk/entries/index.js'
import { click, openPage } from '../page.js'
import { stubViewing } from '../viewing.js'

const TEMPLATE = '<template data-slot-template><a data-attr="href:url"><b data-text="title"></b></a></template>'

let page: Awaited<ReturnType<typeof openPage>>
let viewing: ReturnType<typeof stubViewing>
let asked: string[][]
let decide: (slotId: string) => Partial<SlotDecision>
let answered: Promise<void> | undefined

beforeEach(() => {
  viewing = stubViewing()
  asked = []
  answered = undefined
  decide = () => ({
    outcome: 'served',
    items: [1, 2].map(n => ({ contentId: `c${n}`, position: n, payload: { title: `<i>${n}</i>`, url: `/${n}` } })),
  })
})

afterEach(() => {
  page.close()
  localStorage.clear()
  vi.unstubAllGlobals()
})

async function open(markup: string, options: Partial<Options> = {}) {
  // What fills slots may take longer to load here than on a page.
  page = await openPage({ autoSlots: true, impressions: true, slotTimeout: 5_000, ...options }, markup, async body => {
    const { slots } = JSON.parse(body) as { slots?: { id: string }[] }
    if (!slots) return JSON.stringify({ success: true, accepted: 1, rejected: [] })
    const ids = slots.map(({ id }) => id)
    asked.push(ids)
    await answered
    const decisions = ids.map(slotId => ({ slotId, decisionId: `d-${slotId}`, items: [], ...decide(slotId) }))
    return JSON.stringify({ decisions, batches: [] })
  })
}

const slot = (id = 'hero') => document.querySelector<HTMLElement>(`[data-slot="${id}"]`)!
const settled = (id = 'hero') => vi.waitFor(() => expect(slot(id).dataset.slotState).toBeDefined())
const seen = async (selector: string) => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  viewing.show(selector)
  await vi.advanceTimersByTimeAsync(1_000)
  vi.useRealTimers()
}

describe('a slot', () => {
  it('marks what it shows, for whoever wants to know', async () => {
    await open(`<div data-slot="hero"><p>own</p>${TEMPLATE}</div>`)
    await settled()
    expect(slot().dataset).toMatchObject({ slotState: 'served', decisionId: 'd-hero' })
    expect([...slot().querySelectorAll('a')].map(({ dataset }) => ({ ...dataset }))).toMatchObject([
      { contentId: 'c1', position: '1' },
      { contentId: 'c2', position: '2' },
    ])
    expect(slot().textContent).not.toContain('own')
  })

  it('is busy until it is decided', async () => {
    let answer = () => {}
    answered = new Promise(resolve => {
      answer = resolve
    })
    await open(`<div data-slot="hero"><p>own</p>${TEMPLATE}</div>`, { slotTimeout: 60_000 })
    await vi.waitFor(() => expect(asked).toHaveLength(1))
    expect(slot().getAttribute('aria-busy')).toBe('true')
    answer()
    await settled()
    expect(slot().hasAttribute('aria-busy')).toBe(false)
  })

  it('in which somebody is keeps its content, and the focus', async () => {
    await open('')
    document.body.innerHTML = `<div data-slot="hero"><a href="/own">own</a>${TEMPLATE}</div>`
    slot().querySelector('a')?.focus()
    await settled()
    expect(slot().dataset.slotState).toBe('fallback')
    expect(document.activeElement?.textContent).toBe('own')
    expect(slot().dataset.decisionId).toBeUndefined()
  })

  it('that is added later is filled, those of one moment in one request', async () => {
    await open('<main></main>')
    document.querySelector('main')!.innerHTML = `<section><div data-slot="hero">${TEMPLATE}</div></section>
      <div data-slot="list">${TEMPLATE}</div>`
    await settled()
    await settled('list')
    expect(asked).toEqual([['hero', 'list']])
    document.querySelector('main')!.append(slot())
    await Promise.resolve()
    expect(asked).toHaveLength(1)
  })

  it('whose state is set is left alone', async () => {
    await open(`<div data-slot="hero" data-slot-state="own">${TEMPLATE}</div><div data-slot="list"></div>`)
    await settled('list')
    expect(asked).toEqual([['list']])
  })

  it('takes a decision that came with the page', async () => {
    hydrate({
      slotId: 'hero',
      decisionId: 'ssr',
      outcome: 'served',
      items: [{ contentId: 'c9', position: 1, payload: { title: 'Given' } }],
    })
    await open(`<div data-slot="hero">${TEMPLATE}</div>`)
    await settled()
    expect(asked).toEqual([])
    expect(slot().textContent).toContain('Given')
    expect(slot().dataset.decisionId).toBe('ssr')
  })

  it('writes HTML only where the page allows it', async () => {
    const html = '<template data-slot-template><p data-html="title"></p></template>'
    await open(`<div data-slot="hero">${html}</div>`)
    await settled()
    expect(slot().querySelector('i')).toBeNull()
    page.close()
    await open(`<div data-slot="hero">${html}</div>`, { rawHtml: true })
    await settled()
    expect(slot().querySelector('p > i')?.textContent).toBe('1')
  })
})

describe('an impression', () => {
  it('is reported for what was seen for a second, once, and a click whenever it happens', async () => {
    await open(`<div data-slot="hero">${TEMPLATE}</div>`)
    await settled()
    await seen('[data-content-id="c2"]')
    await seen('[data-content-id="c2"]')
    click('[data-content-id="c2"] b')
    click('[data-content-id="c2"]', 'auxclick', 1)
    click('[data-content-id="c2"]', 'auxclick', 2)
    const properties = { slotId: 'hero', contentId: 'c2', decisionId: 'd-hero', position: 2 }
    expect(page.names()).toEqual(['Slot Viewed', 'Slot Clicked', 'Slot Clicked'])
    for (const tracked of page.tracked) expect(tracked.properties).toEqual(properties)
  })

  it("of a held-out visitor is that of the page's own content, with which the others are compared", async () => {
    decide = () => ({ outcome: 'holdout' })
    await open(`<div data-slot="hero"><p id="a">own</p><p id="b">more</p>${TEMPLATE}</div>`)
    await settled()
    expect(slot().dataset.slotState).toBe('fallback')
    await seen('#a')
    await seen('#b')
    click('#b')
    const properties = { slotId: 'hero', contentId: '', decisionId: 'd-hero', position: 1 }
    expect(page.tracked.map(({ event, properties }) => [event, properties])).toEqual([
      ['Slot Viewed', properties],
      ['Slot Clicked', properties],
    ])
  })

  it('of what a server has rendered is reported without a request', async () => {
    await open(
      `<div data-slot="hero" data-decision-id="ssr"><a id="a" data-content-id="c1"></a><a id="b" data-content-id="c2"></a></div>`,
    )
    await seen('#b')
    click('#a')
    expect(page.tracked.map(({ event, properties }) => [event, properties])).toEqual([
      ['Slot Viewed', { slotId: 'hero', contentId: 'c2', decisionId: 'ssr', position: 2 }],
      ['Slot Clicked', { slotId: 'hero', contentId: 'c1', decisionId: 'ssr', position: 1 }],
    ])
    expect(asked).toEqual([])
  })

  it('of an element that shows something else now is another one', async () => {
    await open(`<div data-slot="hero" data-decision-id="d1"><a id="a" data-content-id="c1"></a></div>`)
    await seen('#a')
    slot().dataset.decisionId = 'd2'
    document.querySelector<HTMLElement>('#a')!.dataset.contentId = 'c2'
    await Promise.resolve()
    await seen('#a')
    expect(page.tracked.map(({ properties }) => [properties.decisionId, properties.contentId])).toEqual([
      ['d1', 'c1'],
      ['d2', 'c2'],
    ])
  })

  it('is nobody’s outside of a decision', async () => {
    await open(
      '<a id="a" data-content-id="c1"></a><div data-slot="x" data-slot-state="own"><a id="b" data-content-id="c1"></a></div>',
    )
    await seen('#a')
    await seen('#b')
    click('#a')
    expect(page.tracked).toEqual([])
  })
})

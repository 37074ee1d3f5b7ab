import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { consent, hydrate, identify, type Options, refresh, reset, type SlotDecision } from '#sdk/entries/index.js'
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
/** Text of a slot that isn't hidden: what the page itself has put there stays. */
const visible = (id = 'hero') =>
  [...slot(id).childNodes]
    .filter(node => !(node instanceof Comment) && (node as HTMLElement).style?.display !== 'none')
    .map(({ textContent }) => textContent)
    .join('')
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
    expect(visible()).not.toContain('own')
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

  it('whose element becomes that of another slot shows what that one gets, and nothing of its own meanwhile', async () => {
    decide = slotId => ({
      outcome: slotId === 'bare' ? 'empty' : 'served',
      items: [{ contentId: slotId, position: 1, payload: { title: slotId, url: '/' } }],
    })
    await open(`<div data-slot="hero"><p>own</p>${TEMPLATE}</div>`)
    await settled()
    const element = slot()
    expect(visible()).toBe('hero')
    element.dataset.slot = 'list'
    await vi.waitFor(() => expect(visible('list')).toBe('list'))
    expect(element.dataset).toMatchObject({ slotState: 'served', decisionId: 'd-list' })
    element.dataset.slot = 'bare'
    await vi.waitFor(() => expect(element.dataset.slotState).toBe('fallback'))
    expect(visible('bare')).toContain('own')
    expect(element.dataset.decisionId).toBeUndefined()
    expect(asked).toEqual([['hero'], ['list'], ['bare']])
  })

  it('whose element becomes another part of the page leaves it, and comes again with its mark', async () => {
    await open(`<div data-slot="hero"><p>own</p>${TEMPLATE}</div>`)
    await settled()
    const element = slot()
    delete element.dataset.slot
    await vi.waitFor(() => expect(element.dataset.slotState).toBeUndefined())
    expect(element.dataset.decisionId).toBeUndefined()
    expect(element.querySelector('a')).toBeNull()
    expect(element.querySelector('p')?.style.display).toBe('')
    element.dataset.slot = 'hero'
    await settled()
    expect(visible()).not.toContain('own')
    expect(element.dataset).toMatchObject({ slotState: 'served', decisionId: 'd-hero' })
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

  it('asks where the server that made the page got no decision', async () => {
    hydrate([{ slotId: 'hero', decisionId: '', outcome: 'timeout', items: [] }])
    await open(`<div data-slot="hero">${TEMPLATE}</div>`)
    await settled()
    expect(asked).toEqual([['hero']])
    expect(slot().dataset.slotState).toBe('served')
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

describe('what a page has put into a slot', () => {
  it('stays where it is, hidden, so that a framework can go on with it', async () => {
    await open(`<div data-slot="hero">text<p id="own" style="display: flex">own</p><!--mark-->${TEMPLATE}</div>`)
    const own = [...slot().childNodes]
    await settled()
    expect([...slot().childNodes].slice(0, own.length)).toEqual(own)
    expect(visible()).toBe('<i>1</i><i>2</i>')
    // As React takes a child away and puts others in.
    slot().removeChild(own[1]!)
    slot().insertBefore(document.createElement('em'), own[2]!).textContent = 'new'
    await vi.waitFor(() => expect(visible()).toBe('<i>1</i><i>2</i>'))
    reset()
    expect(visible()).toBe('textnew')
  })

  it('is seen again as soon as the page writes it anew', async () => {
    await open(`<div data-slot="hero"><p>own</p>${TEMPLATE}</div>`)
    await settled()
    slot().textContent = 'another'
    await vi.waitFor(() => expect(visible()).toBe('another'))
  })

  it.each([
    ['an empty template', '<template data-slot-template> </template>'],
    // `innerHTML` would put its content where the parser does.
    ['a template as frameworks make it, whose content is beside it', undefined],
    ['no template', ''],
  ])('stays with %s, and the log says why', async (_what, template) => {
    const problems: unknown[][] = []
    const note = (event: Event) => void problems.push((event as CustomEvent<unknown[]>).detail)
    window.addEventListener('slotstream:error', note)
    await open('<main></main>')
    const element = document.createElement('div')
    element.dataset.slot = 'hero'
    element.innerHTML = `<p>own</p>${template ?? ''}`
    if (template === undefined) {
      const made = document.createElement('template')
      made.dataset.slotTemplate = ''
      made.append(document.createElement('b'))
      element.append(made)
    }
    document.querySelector('main')!.append(element)
    await settled()
    window.removeEventListener('slotstream:error', note)
    expect(slot().dataset.slotState).toBe('fallback')
    expect(slot().dataset.decisionId).toBeUndefined()
    expect(visible()).toContain('own')
    expect(problems.filter(([what]) => what === 'not filled')).toEqual([
      ['not filled', 'hero', expect.stringMatching(/template/)],
    ])
  })
})

describe('the content of a person', () => {
  const markup = `<div data-slot="hero"><p>own</p>${TEMPLATE}</div>`

  it.each([
    ['reset', () => reset()],
    ['consent is denied', () => consent('denied')],
    ['personalization is denied', () => consent({ personalization: 'denied' })],
    ['another user is identified', () => identify('bob')],
  ])('leaves the screen with its marks when %s', async (_what, change) => {
    await open(markup)
    identify('ann')
    await settled()
    expect(visible()).not.toBe('own')
    change()
    expect(visible()).toBe('own')
    expect({ ...slot().dataset }).toEqual({ slot: 'hero', slotOwn: ' ', slotState: 'fallback' })
    consent('granted')
  })

  it('does not come on the screen when it arrives after that', async () => {
    let answer = () => {}
    answered = new Promise(resolve => {
      answer = resolve
    })
    await open(markup)
    await vi.waitFor(() => expect(asked).toHaveLength(1))
    reset()
    answer()
    await settled()
    expect(visible()).toBe('own')
  })

  it('does not come back with an element that was out of the document', async () => {
    await open(markup)
    await settled()
    const element = slot()
    element.remove()
    reset()
    document.body.append(element)
    await vi.waitFor(() => expect(visible()).toBe('own'))
  })

  it('stays when the visitor logs in', async () => {
    await open(markup)
    await settled()
    identify('ann')
    expect(slot().dataset.slotState).toBe('served')
  })

  it('comes back when personalization is granted again', async () => {
    await open(markup)
    await settled()
    consent({ personalization: 'denied' })
    consent({ personalization: 'granted' })
    await vi.waitFor(() => expect(slot().dataset.slotState).toBe('served'))
    consent('granted')
  })

  it("of a held-out visitor is the page's own, and loses the marks", async () => {
    decide = () => ({ outcome: 'holdout' })
    await open(markup)
    await settled()
    reset()
    expect({ ...slot().dataset }).toEqual({ slot: 'hero', slotOwn: ' ', slotState: 'fallback' })
    expect({ ...slot().querySelector('p')!.dataset }).toEqual({})
  })
})

describe('refresh', () => {
  const both = `<div data-slot="hero"><p>own</p>${TEMPLATE}</div><div data-slot="list"><p>own</p>${TEMPLATE}</div>`
  const once = (title: string) => () => ({
    outcome: 'served' as const,
    items: [{ contentId: title, position: 1, payload: { title, url: '/' } }],
  })

  it('asks anew for one slot, or for all, and replaces what they show', async () => {
    decide = once('a')
    await open(both)
    await settled('list')
    decide = once('b')
    refresh('hero')
    await vi.waitFor(() => expect(visible()).toBe('b'))
    expect(visible('list')).toBe('a')
    decide = once('c')
    refresh()
    await vi.waitFor(() => expect([visible(), visible('list')]).toEqual(['c', 'c']))
    expect(asked).toEqual([['hero', 'list'], ['hero'], ['hero', 'list']])
    decide = () => ({ outcome: 'empty' })
    refresh('hero')
    await vi.waitFor(() => expect(visible()).toBe('own'))
    expect(slot().dataset.slotState).toBe('fallback')
  })

  it('brings the next person their content, and leaves alone what the page itself has set', async () => {
    decide = once('a')
    await open(`${both}<div data-slot="own" data-slot-state="fallback">${TEMPLATE}</div>`)
    await settled('list')
    reset()
    refresh()
    await vi.waitFor(() => expect(visible()).toBe('a'))
    expect(asked.at(-1)).toEqual(['hero', 'list'])
  })

  it('keeps what is shown when nothing is decided', async () => {
    await open(both)
    await settled('list')
    const shown = visible()
    decide = () => ({ outcome: 'unavailable', decisionId: '' })
    refresh()
    await vi.waitFor(() => expect(asked).toHaveLength(2))
    await vi.waitFor(() => expect(slot().hasAttribute('aria-busy')).toBe(false))
    expect(visible()).toBe(shown)
    expect(slot().dataset.slotState).toBe('served')
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

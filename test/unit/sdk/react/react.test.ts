import { act, createElement as h, type ReactNode, StrictMode } from 'react'
import { flushSync } from 'react-dom'
import { hydrateRoot, type Root } from 'react-dom/client'
import { renderToString } from 'react-dom/server'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import * as slotstream from '#sdk/entries/index.js'
import { Slot, SlotstreamProvider, useSlot } from '#sdk/entries/react.js'

interface Body {
  slots?: { id: string; count?: number }[]
  batch?: { type: string; event?: string; properties: object }[]
  batches?: { batch: { type: string; event?: string; properties: object }[] }[]
}

const options: slotstream.Options = {
  writeKey: 'demo',
  endpoint: 'https://c.example',
  webVitals: false,
  engagement: false,
  autoSlots: false,
}
let requests: { url: string; body: Body }[] = []
let decide = (slotId: string): slotstream.SlotDecision => served(slotId)
let roots: Root[] = []
let errors: unknown[] = []
let observers: { callback: IntersectionObserverCallback; elements: Set<Element> }[] = []

const served = (slotId: string, decisionId = 'd1'): slotstream.SlotDecision => ({
  slotId,
  decisionId,
  outcome: 'served',
  items: [1, 2].map(n => ({ contentId: `c${n}`, position: n, payload: { title: `${slotId} ${n}` } })),
})
const control = (slotId: string): slotstream.SlotDecision => ({
  slotId,
  decisionId: 'd9',
  outcome: 'holdout',
  items: [],
})

beforeEach(() => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true)
  localStorage.clear()
  requests = []
  roots = []
  errors = []
  observers = []
  decide = slotId => served(slotId)
  vi.spyOn(console, 'error').mockImplementation((...said) => void errors.push(said))
  // So that these tests can read what is sent.
  vi.stubGlobal('CompressionStream', undefined)
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    const body = JSON.parse(init.body as string) as Body
    requests.push({ url, body })
    const acknowledged = { success: true, accepted: 1, rejected: [] }
    const decisions = body.slots?.map(({ id }) => decide(id))
    return new Response(
      JSON.stringify(decisions ? { decisions, batches: body.batches?.map(() => acknowledged) } : acknowledged),
    )
  })
  vi.stubGlobal(
    'IntersectionObserver',
    class {
      elements = new Set<Element>()
      constructor(callback: IntersectionObserverCallback) {
        observers.push({ callback, elements: this.elements })
      }
      observe = (element: Element) => this.elements.add(element)
      unobserve = (element: Element) => this.elements.delete(element)
      disconnect = () => this.elements.clear()
    },
  )
})

afterEach(async () => {
  await act(async () => {
    for (const root of roots) root.unmount()
  })
  slotstream.destroy()
  document.body.replaceChildren()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

/** Renders on a server, then hydrates in the page what the server made; resolves when nothing is left to do. */
async function open(tree: ReactNode) {
  const container = document.createElement('div')
  const html = renderToString(tree)
  container.innerHTML = html
  document.body.append(container)
  const root = await act(async () => hydrateRoot(container, tree, { onRecoverableError: error => errors.push(error) }))
  roots.push(root)
  const show = (next: ReactNode) => act(async () => root.render(next))
  return { html, container, show, text: () => container.textContent, root }
}
const asked = () => requests.filter(({ url }) => url.includes('/v1/slots')).map(({ body }) => body.slots)
const messages = () =>
  requests.flatMap(({ body }) => [...(body.batch ?? []), ...(body.batches ?? []).flatMap(({ batch }) => batch)])
const tracked = (event: string) =>
  messages()
    .filter(message => message.event === event)
    .map(it => it.properties)
/** Answers come when they come, outside of any act. */
const settled = async (check: () => void) => {
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', false)
  await vi.waitFor(check)
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true)
}
const title = ({ payload }: slotstream.SlotItem) => h('a', { href: '#' }, String(payload.title))
const hero = (props: object = {}) => {
  // As an argument the children would have to be a node, not a function.
  const all = { id: 'hero', fallback: 'Welcome', children: title, ...props }
  return h(Slot<Record<string, unknown>>, all)
}
const page = (...children: ReactNode[]) => h(SlotstreamProvider, { options }, ...children)

const OwnSlot = () => {
  const { outcome, items, watch } = useSlot<{ title: string }>('hero', { count: 2 })
  return h(
    'ul',
    { title: outcome },
    items.map(item => h('li', { key: item.contentId, ref: watch(item) }, item.payload.title.toUpperCase())),
  )
}

describe('a slot in React', () => {
  it('is rendered with its own content on the server, and takes over what was chosen without a mismatch', async () => {
    const { html, text, container } = await open(page(hero({ className: 'card' })))
    expect(html).toBe('<div class="card">Welcome</div>')
    await settled(() => expect(text()).toBe('hero 1hero 2'))
    expect(container.querySelectorAll('div.card > a')).toHaveLength(2)
    expect(errors).toEqual([])
  })

  it('asks once in StrictMode, which starts the package once', async () => {
    const { text } = await open(h(StrictMode, null, page(hero())))
    await settled(() => expect(text()).toBe('hero 1hero 2'))
    await act(() => slotstream.flush())
    expect(asked()).toEqual([[{ id: 'hero' }]])
    expect(messages().map(({ type }) => type)).toEqual(['page'])
    expect(errors).toEqual([])
  })

  it('shares a request with the others of the same rendering', async () => {
    const { text } = await open(page(hero({ key: 1 }), hero({ key: 2, id: 'for-you', count: 4 })))
    await settled(() => expect(text()).toBe('hero 1hero 2for-you 1for-you 2'))
    expect(asked()).toEqual([[{ id: 'hero' }, { id: 'for-you', count: 4 }]])
  })

  it('asks again when it becomes another slot, and shows nothing of the one before meanwhile', async () => {
    const { text, show } = await open(page(hero()))
    await settled(() => expect(text()).toBe('hero 1hero 2'))
    let answer = () => {}
    const held = new Promise<void>(resolve => {
      answer = resolve
    })
    const fetch = globalThis.fetch
    vi.stubGlobal('fetch', async (url: string, init: RequestInit) => held.then(() => fetch(url, init)))
    await show(page(hero({ id: 'banner', timeout: 10_000 })))
    expect(text()).toBe('Welcome')
    answer()
    await settled(() => expect(text()).toBe('banner 1banner 2'))
  })

  it('does not ask when it is gone in the same task, and takes no answer after it', async () => {
    const { show, text, root } = await open(page())
    await act(async () => {
      flushSync(() => root.render(page(hero({ id: 'short' }))))
      flushSync(() => root.render(page()))
    })
    await show(page(hero()))
    await show(page('gone'))
    await act(() => slotstream.flush())
    expect(text()).toBe('gone')
    expect(asked().flat()).not.toContainEqual({ id: 'short' })
    expect(errors).toEqual([])
  })

  it('keeps its own content when nothing is chosen, and its place until then', async () => {
    decide = slotId => ({ slotId, decisionId: 'd2', outcome: 'empty', items: [] })
    const { html, text } = await open(page(hero({ as: 'section', waiting: 'One moment' })))
    expect(html).toBe('<section>One moment</section>')
    await settled(() => expect(text()).toBe('Welcome'))
  })

  it('asks once the visitor agrees', async () => {
    const tree = h(SlotstreamProvider, { options: { ...options, consent: { personalization: 'pending' } } }, hero())
    const { text } = await open(tree)
    await act(() => slotstream.flush())
    expect(text()).toBe('Welcome')
    expect(asked()).toEqual([])
    await act(async () => void slotstream.consent('granted'))
    await settled(() => expect(text()).toBe('hero 1hero 2'))
  })

  it('is rendered with a decision that the server hands over, and asks only when it is shown anew', async () => {
    const tree = (...children: ReactNode[]) =>
      h(StrictMode, null, h(SlotstreamProvider, { options, decisions: [served('hero', 'd7')] }, ...children))
    const { html, text, show } = await open(tree(hero()))
    expect(html).toBe('<div><a href="#">hero 1</a></div><div><a href="#">hero 2</a></div>')
    await act(() => slotstream.flush())
    expect(text()).toBe('hero 1hero 2')
    expect(asked()).toEqual([])
    expect(errors).toEqual([])
    const again = h(StrictMode, null, page(hero()))
    await show(again)
    await settled(() => expect(asked()).toHaveLength(1))
  })

  it('asks anew when a slot with a handed-over decision comes back', async () => {
    const decisions = [served('hero', 'd7')]
    const tree = (child: ReactNode) => h(SlotstreamProvider, { options, decisions }, child)
    const { show, text } = await open(tree(hero()))
    await show(tree('elsewhere'))
    decide = slotId => served(slotId, 'd8')
    await show(tree(hero()))
    await settled(() => expect(asked()).toHaveLength(1))
    await settled(() => expect(text()).toBe('hero 1hero 2'))
  })

  it('asks when the server could not', async () => {
    const decisions: slotstream.SlotDecision[] = [{ slotId: 'hero', decisionId: '', outcome: 'timeout', items: [] }]
    const { html, text } = await open(h(SlotstreamProvider, { options, decisions }, hero()))
    expect(html).toBe('<div>Welcome</div>')
    await settled(() => expect(text()).toBe('hero 1hero 2'))
  })
})

describe('what a slot in React shows', () => {
  it('is tracked when it was seen and clicked, once in StrictMode', async () => {
    const { container, text } = await open(h(StrictMode, null, page(hero())))
    await settled(() => expect(text()).toBe('hero 1hero 2'))
    const [first, second] = container.querySelectorAll('div')
    second?.querySelector('a')?.click()
    const observer = observers.find(({ elements }) => elements.has(first!))
    observer?.callback(
      [{ target: first, isIntersecting: true, intersectionRatio: 0.6 } as unknown as IntersectionObserverEntry],
      {} as IntersectionObserver,
    )
    await vi.waitFor(
      async () => {
        await slotstream.flush()
        expect(tracked('Slot Viewed')).toHaveLength(1)
      },
      { timeout: 5_000 },
    )
    expect(tracked('Slot Viewed')).toEqual([{ slotId: 'hero', contentId: 'c1', decisionId: 'd1', position: 1 }])
    expect(tracked('Slot Clicked')).toEqual([{ slotId: 'hero', contentId: 'c2', decisionId: 'd1', position: 2 }])
  })

  it("is tracked for the page's own content in the holdout", async () => {
    decide = control
    const { container } = await open(page(hero()))
    const own = container.querySelector('div')
    await settled(() => expect(observers.some(({ elements }) => elements.has(own!))).toBe(true))
    own?.click()
    await slotstream.flush()
    expect(tracked('Slot Clicked')).toEqual([{ slotId: 'hero', contentId: '', decisionId: 'd9', position: 1 }])
  })

  it.each([
    ['asked for', undefined],
    ['handed over', [served('hero', 'd7')]],
  ])('whose content was %s loses it with the person, and gets the next by refresh', async (_how, decisions) => {
    const { text } = await open(h(SlotstreamProvider, { options, ...(decisions && { decisions }) }, hero()))
    await settled(() => expect(text()).toBe('hero 1hero 2'))
    slotstream.track('Seen')
    await act(async () => slotstream.reset())
    expect(text()).toBe('Welcome')
    await act(async () => slotstream.refresh('other'))
    await act(async () => slotstream.refresh())
    await settled(() => expect(text()).toBe('hero 1hero 2'))
    await act(async () => void slotstream.consent('denied'))
    expect(text()).toBe('Welcome')
    slotstream.consent('granted')
  })

  it('that is no component of the package, but an element that React made, does not end React', async () => {
    const template = Object.assign(document.createElement('template'), {
      innerHTML: '<b data-text="title"></b>',
    })
    template.dataset.slotTemplate = 'hero'
    document.body.append(template)
    const own = (key: string) => h('p', { key }, key)
    const tree = (...children: ReactNode[]) =>
      h(SlotstreamProvider, { options: { ...options, autoSlots: true } }, h('div', { 'data-slot': 'hero' }, children))
    const { container, show } = await open(tree(own('a'), own('b')))
    const seen = () =>
      [...container.querySelectorAll<HTMLElement>('[data-slot] > *')]
        .filter(({ style }) => style.display !== 'none')
        .map(({ textContent }) => textContent)
    await settled(() => expect(seen()).toEqual(['hero 1', 'hero 2']))
    await show(tree(own('b'), own('c')))
    await settled(() => expect(seen()).toEqual(['hero 1', 'hero 2']))
    await act(async () => slotstream.reset())
    expect(seen()).toEqual(['b', 'c'])
    await show(tree())
    expect(errors).toEqual([])
    template.remove()
  })

  it('is rendered by a component of your own with useSlot', async () => {
    const { html, container, text } = await open(page(h(OwnSlot)))
    expect(html).toBe('<ul title="waiting"></ul>')
    await settled(() => expect(text()).toBe('HERO 1HERO 2'))
    container.querySelectorAll('li')[1]?.click()
    await slotstream.flush()
    expect(tracked('Slot Clicked')).toMatchObject([{ contentId: 'c2', position: 2 }])
  })
})

describe('the provider', () => {
  it('ends the package when it is gone, unless the page itself began it', async () => {
    const { show } = await open(page('a'))
    expect(slotstream.consent()).toBeDefined()
    await show('b')
    expect(slotstream.consent()).toBeUndefined()
    slotstream.init(options)
    await show(page('c'))
    await show('d')
    expect(slotstream.consent()).toBeDefined()
  })
})

describe('a slot in React without a collector', () => {
  const kept = () => localStorage.getItem('slotstream.queue.demo.last')
  const offline = () => vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')))
  const leave = async () => {
    await act(async () => {
      for (const root of roots.splice(0)) root.unmount()
    })
    document.body.replaceChildren()
  }

  it('shows what it has shown last', async () => {
    const { text } = await open(page(hero()))
    await settled(() => expect(text()).toBe('hero 1hero 2'))
    await settled(() => expect(kept()).toContain('hero 1'))
    await leave()
    offline()
    const { text: shown } = await open(page(hero()))
    await settled(() => expect(shown()).toBe('hero 1hero 2'))
  })

  it('keeps what it shows, with the decision that its impressions belong to', async () => {
    const { text, container } = await open(page(hero()))
    await settled(() => expect(text()).toBe('hero 1hero 2'))
    await settled(() => expect(kept()).toContain('hero 1'))
    const before = container.firstElementChild
    offline()
    await act(async () => slotstream.refresh())
    await new Promise(resolve => setTimeout(resolve, 100))
    expect(container.firstElementChild).toBe(before)
  })

  it('asks where the server that rendered it got no decision', async () => {
    const none: slotstream.SlotDecision = { slotId: 'hero', decisionId: '', outcome: 'timeout', items: [] }
    const { html, text } = await open(page(hero({ decision: none })))
    expect(html).toBe('<div>Welcome</div>')
    await settled(() => expect(text()).toBe('hero 1hero 2'))
  })
})

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { PluginApi } from '#sdk/client/plugin-api.js'
import * as slotstream from '#sdk/entries/index.js'

interface Body {
  batchId?: string
  batch?: Message[]
  batches?: { batch: Message[] }[]
  slots?: { id: string; count?: number }[]
  ledger?: { dropped: Record<string, number> }
}
interface Message {
  type: string
  event?: string
  userId?: string
  anonymousId: string
  previousId?: string
  timestamp: string
  properties: Record<string, unknown>
  context: {
    identity?: object
    pageViewId: string
    sessionId: string
    page: { path: string; referrer: string; title: string }
    seq: number
  }
}

let requests: { url: string; init: RequestInit; body: Body }[] = []
let visibility: DocumentVisibilityState
let observed: { callback: IntersectionObserverCallback; elements: Set<Element> }[] = []

beforeEach(() => {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 1) })
  localStorage.clear()
  visibility = 'visible'
  vi.spyOn(document, 'visibilityState', 'get').mockImplementation(() => visibility)
  history.replaceState(null, '', '/start?utm_source=mail')
  requests = []
  observed = []
  // So that these tests can read what is sent.
  vi.stubGlobal('CompressionStream', undefined)
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    const body = JSON.parse(init.body as string) as Body
    requests.push({ url, init, body })
    const decisions = body.slots?.map(({ id }) => ({
      slotId: id,
      decisionId: 'd1',
      outcome: 'served',
      items: [1, 2].map(n => ({ contentId: `c${n}`, position: n, payload: { title: `<b>${n}</b>`, url: `/${n}` } })),
    }))
    const acknowledged = { success: true, accepted: 1, rejected: [] }
    return new Response(
      JSON.stringify(decisions ? { decisions, batches: body.batches?.map(() => acknowledged) } : acknowledged),
    )
  })
  vi.stubGlobal(
    'IntersectionObserver',
    class {
      elements = new Set<Element>()
      constructor(callback: IntersectionObserverCallback) {
        observed.push({ callback, elements: this.elements })
      }
      observe = (element: Element) => this.elements.add(element)
      unobserve = (element: Element) => this.elements.delete(element)
      disconnect = () => this.elements.clear()
    },
  )
})

afterEach(() => {
  slotstream.destroy()
  document.body.replaceChildren()
  vi.useRealTimers()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

/** Resolves when the parts that load on demand have started. */
const start = (options: Partial<slotstream.Options> = {}) => {
  slotstream.init({ writeKey: 'demo', endpoint: 'https://c.example', webVitals: false, engagement: false, ...options })
  // Parts begin in the task after the start, which is the one after `init`.
  return vi.advanceTimersByTimeAsync(2).then(vi.dynamicImportSettled)
}
const messages = () =>
  requests.flatMap(({ body }) => [...(body.batch ?? []), ...(body.batches ?? []).flatMap(({ batch }) => batch)])
const names = () => messages().map(({ type, event }) => event ?? type)
/** Sends what waits, with a sender that loads in the task after the answer for slots. */
const flushLater = () => Promise.all([slotstream.flush(), vi.advanceTimersByTimeAsync(0)])
const hide = () => {
  visibility = 'hidden'
  window.dispatchEvent(new Event('pagehide'))
}

describe('a page', () => {
  it('sends its page view as a request that needs no preflight', async () => {
    start()
    await slotstream.flush()
    const [request] = requests
    expect(request?.url).toBe('https://c.example/v1/batch?writeKey=demo')
    expect(request?.init).toMatchObject({ method: 'POST', headers: { 'Content-Type': 'text/plain' } })
    expect(messages()[0]).toMatchObject({
      type: 'page',
      timestamp: '2026-01-01T00:00:00.000Z',
      properties: { path: '/start' },
      context: { campaign: { source: 'mail' }, seq: 1, page: { path: '/start' }, library: { name: 'slotstream' } },
    })
  })

  it('starts in the task after init, with the first call, or when it ends', async () => {
    const starts: (() => unknown)[] = [() => vi.advanceTimersByTimeAsync(0), () => slotstream.consent(), hide]
    for (const bring of starts) {
      const captured = vi.fn()
      window.addEventListener('slotstream:captured', captured)
      slotstream.init({ writeKey: 'demo', endpoint: 'https://c.example', webVitals: false, engagement: false })
      expect(captured).not.toHaveBeenCalled()
      await bring()
      expect(captured).toHaveBeenCalledOnce()
      window.removeEventListener('slotstream:captured', captured)
      slotstream.destroy()
    }
  })

  it('keeps calls made before init, with their times', async () => {
    slotstream.track('Early')
    vi.setSystemTime(Date.now() + 5_000)
    start()
    await slotstream.flush()
    expect(names()).toEqual(['page', 'Early'])
    expect(messages()[1]?.timestamp).toBe('2026-01-01T00:00:00.000Z')
  })

  it('counts a change of the path as a page view, and no other change', async () => {
    await start()
    history.replaceState(null, '', '/start?utm_source=mail&x=1')
    history.pushState(null, '', '/shoes')
    slotstream.track('Seen')
    await slotstream.flush()
    expect(names()).toEqual(['page', 'page', 'Seen'])
    const [first, second, seen] = messages().map(({ context }) => context)
    expect(second?.pageViewId).not.toBe(first?.pageViewId)
    expect(seen?.pageViewId).toBe(second?.pageViewId)
    expect(second?.page.referrer).toContain('/start')
  })

  it.each([
    ['a slash at its end', '/Start/'],
    ['a name after the number', '/start-of-it'],
    ['another query', '/start?x=1'],
  ])(
    'takes a replaced address that only has %s for the same view, and its referrer for the next',
    async (_what, to) => {
      await start()
      history.replaceState(null, '', to)
      history.pushState(null, '', '/shoes')
      await slotstream.flush()
      expect(names()).toEqual(['page', 'page'])
      expect(messages()[1]?.context.page.referrer).toMatch(new RegExp(`${to.replace('?', '.')}$`))
    },
  )

  it('takes a replaced address of another page for another view', async () => {
    await start()
    history.replaceState(null, '', '/login')
    history.replaceState(null, '', '/')
    history.replaceState(null, '', '/account')
    await slotstream.flush()
    expect(messages().map(({ context }) => context.page.path)).toEqual(['/start', '/login', '/', '/account'])
  })

  it('has the title that the page sets after the address, and the time of the change', async () => {
    document.title = 'Start'
    await start()
    const at = new Date().toISOString()
    history.pushState(null, '', '/shoes')
    await vi.advanceTimersByTimeAsync(300)
    document.head.append(document.createElement('meta'))
    await vi.advanceTimersByTimeAsync(300)
    document.title = 'Shoes'
    await vi.advanceTimersByTimeAsync(0)
    history.pushState(null, '', '/untitled')
    await vi.advanceTimersByTimeAsync(1_000)
    history.pushState(null, '', '/boots')
    document.title = 'Boots'
    slotstream.track('Seen')
    await slotstream.flush()
    expect(names()).toEqual(['page', 'page', 'page', 'page', 'Seen'])
    expect(messages().map(({ context }) => context.page.title)).toEqual(['Start', 'Shoes', 'Shoes', 'Boots', 'Boots'])
    expect(messages()[1]?.properties?.title).toBe('Shoes')
    expect(messages()[1]?.timestamp).toBe(at)
  })

  it('counts the fragment to the path by option', async () => {
    await start({ autoPage: 'hash' })
    location.hash = '#/shoes'
    await vi.advanceTimersByTimeAsync(10)
    history.pushState(null, '', '#/boots')
    await slotstream.flush()
    expect(messages().map(({ context }) => context.page.path)).toEqual(['/start', '/start#/shoes', '/start#/boots'])
  })

  it('follows routers on the Navigation API', async () => {
    const navigation = Object.assign(new EventTarget(), { currentEntry: {} })
    vi.stubGlobal('navigation', navigation)
    const go = (path: string, navigationType: string) => {
      history.replaceState(null, '', path)
      navigation.dispatchEvent(Object.assign(new Event('currententrychange'), { navigationType }))
    }
    await start()
    go('/shoes', 'push')
    go('/shoes/', 'replace')
    go('/start', 'traverse')
    await slotstream.flush()
    expect(messages().map(({ context }) => context.page.path)).toEqual(['/start', '/shoes/', '/start'])
  })

  it.each([
    ['pushed', 'pushState', '/start/of-it', ['/start', '/start/of-it']],
    ['replaced by another page', 'replaceState', '/shoes', ['/start', '/shoes']],
    ['replaced by the same page in other words', 'replaceState', '/Start/', ['/start']],
  ] as const)('catches up with an address that was %s before it follows routes', async (_what, change, to, paths) => {
    const started = start()
    slotstream.consent()
    history[change](null, '', to)
    await started
    await slotstream.flush()
    expect(names()).toEqual(paths.map(() => 'page'))
    expect(messages().map(({ properties }) => properties?.path)).toEqual(paths)
    slotstream.track('Seen')
    history.pushState(null, '', '/boots')
    await slotstream.flush()
    expect(messages().at(-1)?.context.page.referrer).toMatch(new RegExp(`${to}$`))
  })

  it('takes no element for the Navigation API', async () => {
    vi.stubGlobal('navigation', document.createElement('nav'))
    await start()
    history.pushState(null, '', '/shoes')
    await slotstream.flush()
    expect(names()).toEqual(['page', 'page'])
  })

  it('reports what was measured of a view with its id, address and title, not those of the next', async () => {
    document.title = 'Start'
    await start({ engagement: true })
    await vi.advanceTimersByTimeAsync(2_000)
    history.pushState(null, '', '/shoes')
    document.title = 'Shoes'
    await slotstream.flush()
    const [first, engaged, second] = messages()
    expect(engaged?.event).toBe('Page Engaged')
    expect(engaged?.context).toMatchObject({
      pageViewId: first?.context.pageViewId,
      page: { path: '/start', title: 'Start', url: expect.stringMatching(/\/start/) },
    })
    expect(second?.context.pageViewId).not.toBe(first?.context.pageViewId)
  })

  it('knows a person until reset', async () => {
    start()
    slotstream.identify('ann', { plan: 'pro' })
    slotstream.track('A')
    slotstream.alias('anna')
    slotstream.group('acme')
    slotstream.reset()
    slotstream.track('B')
    await slotstream.flush()
    const [, identify, a, alias, group, b] = messages()
    expect([identify, a, group].map(it => it?.userId)).toEqual(['ann', 'ann', 'ann'])
    expect(alias).toMatchObject({ userId: 'anna', previousId: 'ann' })
    expect(b?.userId).toBeUndefined()
    expect(b?.anonymousId).not.toBe(a?.anonymousId)
    expect(b?.context.sessionId).not.toBe(a?.context.sessionId)
  })

  it('is a new visitor for another person, but for one who was anonymous or got a new name', async () => {
    start({ autoPage: false, properties: { shop: 'north' } })
    slotstream.track('Anonymous')
    slotstream.identify('alice')
    slotstream.setProperties({ plan: 'pro' })
    slotstream.identify('alice', { plan: 'pro' })
    slotstream.alias('alice@example.com')
    slotstream.identify('alice@example.com')
    slotstream.track('Alice')
    slotstream.identify('bob')
    slotstream.track('Bob')
    slotstream.identify('alice')
    await slotstream.flush()
    const sent = messages()
    const visitors = [...new Set(sent.map(({ anonymousId }) => anonymousId))]
    expect(sent.map(({ anonymousId }) => visitors.indexOf(anonymousId))).toEqual([0, 0, 0, 0, 0, 0, 1, 1, 2])
    const sessions = sent.map(({ context }) => context.sessionId)
    expect(new Set(sessions).size).toBe(3)
    expect(sessions[5]).not.toBe(sessions[6])
    expect(sent[5]?.properties).toEqual({ shop: 'north', plan: 'pro' })
    expect(sent[7]).toMatchObject({ userId: 'bob', properties: { shop: 'north' } })
  })

  it('goes on as before after an id that is none', async () => {
    const warned = vi.spyOn(console, 'error').mockImplementation(() => {})
    start({ autoPage: false })
    for (const none of [{ email: 'a@example.com' }, 'undefined', 'x'.repeat(400), 2 ** 60])
      for (const call of [slotstream.identify, slotstream.group, slotstream.alias]) call(none as string)
    slotstream.track('A')
    await slotstream.flush()
    expect(messages()).toMatchObject([{ event: 'A' }])
    expect(messages()[0]?.userId).toBeUndefined()
    expect(warned).toHaveBeenCalledTimes(12)
    warned.mockRestore()
  })

  it('sends at its end what was tracked in the same tick', async () => {
    start()
    slotstream.track('Last')
    hide()
    expect(names()).toEqual(['page', 'Last'])
    expect(requests[0]?.init.keepalive).toBe(true)
  })

  it('sends at its end also when no part is on', async () => {
    slotstream.init({ writeKey: 'demo', endpoint: 'https://c.example', parts: [] })
    slotstream.track('Alone')
    window.dispatchEvent(new Event('pagehide'))
    expect(messages().map(({ event }) => event)).toEqual(['Alone'])
  })

  it('reports active time at its end', async () => {
    await start({ engagement: true })
    await vi.advanceTimersByTimeAsync(2_000)
    hide()
    const { activeMs } = messages().find(({ event }) => event === 'Page Engaged')?.properties ?? {}
    expect(activeMs).toBeGreaterThanOrEqual(2_000)
    // What measures it may have loaded before the last of the two milliseconds that the start gets.
    expect(activeMs).toBeLessThanOrEqual(2_002)
  })

  it('drops and counts what cannot be sent, and never throws', async () => {
    start()
    const circle: Record<string, unknown> = {}
    circle.circle = circle
    slotstream.track('Circle', circle)
    slotstream.track('Huge', { text: 'x'.repeat(40_000) })
    slotstream.track('')
    slotstream.init({} as slotstream.Options)
    await slotstream.flush()
    expect(names()).toEqual(['page'])
    expect(requests[0]?.body.ledger).toMatchObject({
      dropped: { not_serializable: 1, too_large: 1 },
    })
  })

  it('lets middleware change, replace and drop messages, and survives what it throws', async () => {
    const errors: unknown[] = []
    const remove = slotstream.addMiddleware(message => {
      message.properties = { ...message.properties, seen: true }
      return message
    })
    slotstream.addMiddleware(message => (message.event === 'Secret' ? null : { ...message, messageId: 'forged' }))
    slotstream.addMiddleware(() => {
      throw new Error('broken')
    })
    start({ onError: error => errors.push((error as Error).message) })
    slotstream.track('A')
    slotstream.track('Secret')
    remove()
    slotstream.track('B')
    await slotstream.flush()
    expect(names()).toEqual(['page', 'A', 'B'])
    expect(messages().map(({ properties }) => properties.seen)).toEqual([true, true, undefined])
    expect(messages().map(({ context }) => context.seq)).toEqual([1, 2, 3])
    expect(requests[0]?.body.ledger).toMatchObject({ dropped: { middleware: 1 } })
    expect(JSON.stringify(requests)).not.toContain('forged')
    expect(errors.filter(message => message === 'broken')).toHaveLength(3)
  })

  it('adds global properties, which give way to the own ones', async () => {
    start({ properties: { shop: 'north', plan: 'free' }, autoPage: false })
    slotstream.track('A', { plan: 'pro' })
    slotstream.setProperties({ shop: undefined, tier: 2 })
    slotstream.track('B')
    slotstream.identify('ann', { name: 'Ann' })
    await slotstream.flush()
    const [a, b, identify] = messages()
    expect(a?.properties).toEqual({ shop: 'north', plan: 'pro' })
    expect(b?.properties).toEqual({ plan: 'free', tier: 2 })
    expect(identify?.properties).toBeUndefined()
  })

  it('drops and counts a flood', async () => {
    start({ floodLimit: 5, autoPage: false })
    for (let i = 0; i < 20; i++) slotstream.track('A', { i })
    await slotstream.flush()
    expect(messages()).toHaveLength(5)
    expect(requests[0]?.body.ledger).toMatchObject({ captured: 20, dropped: { flood: 15 } })
  })

  describe('whose address has a linked id', () => {
    const link = () => `/start?a=1&slotstream_id=0198-ab.${Date.now()}&b=2#top`
    const from = (referrer: string) => vi.spyOn(document, 'referrer', 'get').mockReturnValue(referrer)

    it('takes it over from a domain of the owner, and takes it out of the address', async () => {
      from('https://sister.example/')
      history.replaceState(null, '', link())
      slotstream.track('Early')
      await start({ linkedId: true, linkDomains: 'sister.example' })
      await slotstream.flush()
      expect(messages().map(({ anonymousId }) => anonymousId)).toEqual(['0198-ab', '0198-ab'])
      expect(location.href).toMatch(/\/start\?a=1&b=2#top$/)
      expect(JSON.stringify(requests)).not.toContain('slotstream_id')
    })

    it.each(['https://evil.example/', ''])('takes it out only, when it came from %j', async referrer => {
      from(referrer)
      history.replaceState(null, '', link())
      await start({ linkedId: true, linkDomains: 'sister.example' })
      await slotstream.flush()
      expect(messages()[0]?.anonymousId).toMatch(/^[0-9a-f-]{36}$/)
      expect(location.href).toMatch(/\/start\?a=1&b=2#top$/)
      expect(JSON.stringify(requests)).not.toContain('slotstream_id')
    })

    it('sends what was tracked when it ends before the id could be read', () => {
      from('https://sister.example/')
      history.replaceState(null, '', link())
      slotstream.init({
        writeKey: 'demo',
        endpoint: 'https://c.example',
        linkedId: true,
        linkDomains: 'sister.example',
      })
      slotstream.track('Early')
      hide()
      expect(names()).toEqual(['page', 'Early'])
    })

    it('can be ended before the id could be read', async () => {
      from('https://sister.example/')
      history.replaceState(null, '', link())
      slotstream.init({
        writeKey: 'demo',
        endpoint: 'https://c.example',
        linkedId: true,
        linkDomains: 'sister.example',
      })
      slotstream.destroy()
      await vi.advanceTimersByTimeAsync(2).then(vi.dynamicImportSettled)
      expect(slotstream.consent()).toBeUndefined()
    })

    it('takes no notice of it without the option', async () => {
      from('https://sister.example/')
      history.replaceState(null, '', link())
      await start({ linkDomains: 'sister.example' })
      await slotstream.flush()
      expect(messages()[0]?.anonymousId).not.toBe('0198-ab')
    })
  })

  it('keeps the signature with the user id, and sends it with that id only', async () => {
    start()
    slotstream.identify('ann', { plan: 'pro' }, { signature: 'a1' })
    slotstream.track('A')
    slotstream.alias('anna')
    await slotstream.personalize('hero')
    slotstream.identify('bob')
    slotstream.track('B')
    slotstream.identify('ann', {}, { signature: 'a2' })
    slotstream.reset()
    slotstream.track('C')
    await flushLater()
    expect(messages().map(({ context, userId }) => [userId, context.identity])).toEqual([
      [undefined, undefined],
      ['ann', { signature: 'a1' }],
      ['ann', { signature: 'a1' }],
      ['anna', undefined],
      ['bob', undefined],
      ['bob', undefined],
      ['ann', { signature: 'a2' }],
      [undefined, undefined],
    ])
    expect(requests.find(({ body }) => body.slots)?.body).toMatchObject({ userId: 'ann', signature: 'a1' })
  })

  it('takes its id from the cookie where storage was cleared', async () => {
    // biome-ignore lint/suspicious/noDocumentCookie: jsdom has no other
    document.cookie = 'slotstream_id=0198-cd'
    start({ idCookie: true })
    await slotstream.flush()
    expect(messages()[0]?.anonymousId).toBe('0198-cd')
    slotstream.reset()
    slotstream.track('B')
    await slotstream.flush()
    expect(messages()[1]?.anonymousId).not.toBe('0198-cd')
    expect(document.cookie).toBe('')
  })

  it('runs the parts it is given instead of those it would load', async () => {
    const stop = vi.fn()
    const part = vi.fn((client: PluginApi) => {
      client.track('From Part')
      return stop
    })
    start({ parts: [part] })
    await slotstream.flush()
    expect(names()).toEqual(['From Part'])
    slotstream.destroy()
    expect(stop).toHaveBeenCalledOnce()
  })

  it('tells debuggers what happens', async () => {
    const heard: Record<string, Record<string, unknown>[]> = { captured: [], sent: [], acknowledged: [], decision: [] }
    for (const name in heard)
      window.addEventListener(`slotstream:${name}`, event => heard[name]?.push((event as CustomEvent).detail))
    start()
    slotstream.track('A')
    await slotstream.personalize('hero')
    slotstream.track('B')
    await flushLater()
    expect(heard.decision).toHaveLength(1)
    const ids = heard.captured?.map(({ messageId }) => messageId)
    expect(ids).toHaveLength(3)
    expect(heard.sent?.flatMap(({ messageIds }) => messageIds)).toEqual(ids)
    expect(heard.acknowledged?.map(({ batchId }) => batchId)).toEqual(heard.sent?.map(({ batchId }) => batchId))
  })

  it('is as it was after destroy', async () => {
    const { pushState } = history
    await start()
    expect(history.pushState).not.toBe(pushState)
    slotstream.destroy()
    expect(history.pushState).toBe(pushState)
    await vi.advanceTimersByTimeAsync(0)
    const before = requests.length
    window.dispatchEvent(new Event('online'))
    hide()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(requests).toHaveLength(before)
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('slots of a page', () => {
  const template = '<template data-slot-template><a data-attr="href:url"><b data-text="title"></b></a></template>'

  it('are filled in one request, without reading payloads as HTML', async () => {
    document.body.innerHTML = `<div data-slot="hero"><p>own</p>${template}</div><div data-slot="list" data-count="2"><p>own</p></div>
      ${template.replace('data-slot-template', 'data-slot-template="list"')}`
    await start()
    await vi.advanceTimersByTimeAsync(100)
    expect(requests.filter(({ body }) => body.slots).map(({ body }) => body.slots)).toEqual([
      [{ id: 'hero' }, { id: 'list', count: 2 }],
    ])
    for (const slot of document.querySelectorAll<HTMLElement>('[data-slot]')) {
      expect(slot.dataset.slotState).toBe('served')
      expect(slot.querySelector('p')?.style.display).toBe('none')
      expect([...slot.querySelectorAll('a > b')].map(it => it.textContent)).toEqual(['<b>1</b>', '<b>2</b>'])
    }
  })

  it('keep their own content without an answer', async () => {
    vi.stubGlobal('fetch', () => new Promise(() => {}))
    document.body.innerHTML = `<div data-slot="hero"><p>own</p>${template}</div>`
    await start()
    await vi.advanceTimersByTimeAsync(300)
    const slot = document.querySelector<HTMLElement>('[data-slot]')
    expect(slot?.dataset.slotState).toBe('fallback')
    expect(slot?.querySelector('p')?.textContent).toBe('own')
  })

  it('report what was seen for a second, once, and every click', async () => {
    document.body.innerHTML = `<div data-slot="hero">${template}</div>`
    await start()
    await vi.advanceTimersByTimeAsync(100)
    const [first, second] = document.querySelectorAll('a')
    const show = (target: Element | undefined, isIntersecting: boolean) =>
      observed[0]?.callback(
        [{ target, isIntersecting, intersectionRatio: isIntersecting ? 0.6 : 0 } as IntersectionObserverEntry],
        {} as IntersectionObserver,
      )
    show(first, true)
    show(second, true)
    await vi.advanceTimersByTimeAsync(900)
    show(second, false)
    await vi.advanceTimersByTimeAsync(900)
    show(first, true)
    first?.addEventListener('click', event => event.preventDefault())
    first?.querySelector('b')?.click()
    await vi.advanceTimersByTimeAsync(2_000)
    const tracked = messages().filter(({ event }) => event?.startsWith('Slot'))
    const properties = { slotId: 'hero', contentId: 'c1', decisionId: 'd1', position: 1 }
    expect(tracked.map(({ event }) => event)).toEqual(['Slot Viewed', 'Slot Clicked'])
    for (const message of tracked) expect(message.properties).toEqual(properties)
  })
})

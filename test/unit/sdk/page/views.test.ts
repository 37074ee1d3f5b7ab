import { describe, expect, it, vi } from 'vitest'
import * as slotstream from '#sdk/entries/index.js'
import { hide, messages, names, requests, start, withPage } from './some-page.js'

withPage()

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
    history.replaceState(null, '', '/products/1')
    history.replaceState(null, '', '/products/17')
    await slotstream.flush()
    const paths = messages().map(({ context }) => context.page.path)
    expect(paths).toEqual(['/start', '/login', '/', '/products/1', '/products/17'])
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

  it('is read where its elements have the names of what is part of a document', async () => {
    document.title = 'Shop'
    document.body.innerHTML = '<img name="title"><img name="referrer"><img name="head"><img name="head">'
    // jsdom has no named images.
    for (const name of ['title', 'referrer', 'head'])
      Object.defineProperty(document, name, { value: document.images, configurable: true })
    await start()
    slotstream.track('Before')
    history.pushState(null, '', '/shoes')
    slotstream.track('After')
    history.pushState(null, '', '/boots')
    await slotstream.flush()
    for (const name of ['title', 'referrer', 'head']) Reflect.deleteProperty(document, name)
    document.body.innerHTML = ''
    expect(names()).toEqual(['page', 'Before', 'page', 'After', 'page'])
    expect(messages().map(({ context }) => [context.page.title, typeof context.page.referrer])).toEqual(
      messages().map(() => ['Shop', 'string']),
    )
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
})

import { describe, expect, it, vi } from 'vitest'
import type { PluginApi } from '#sdk/client/plugin-api.js'
import * as slotstream from '#sdk/entries/index.js'
import { flushLater, hide, messages, names, observed, requests, start, withPage } from './some-page.js'

withPage()

describe('a page', () => {
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

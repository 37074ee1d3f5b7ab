import { setMaxListeners } from 'node:events'
import { IDBFactory } from 'fake-indexeddb'
import 'fake-indexeddb/auto'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import * as slotstream from '#sdk/entries/index.js'
import { engagement, pageViews } from '#sdk/entries/parts.js'

/** Listeners on `window` and `document` that are neither removed nor aborted. */
const live = new Set<object>()
let received = 0

beforeEach(() => {
  vi.useFakeTimers({
    now: Date.UTC(2026, 0, 1),
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'],
  })
  vi.stubGlobal('indexedDB', new IDBFactory())
  localStorage.clear()
  for (const target of [window, document]) {
    const add = target.addEventListener.bind(target) as EventTarget['addEventListener']
    vi.spyOn(target, 'addEventListener').mockImplementation(
      (type: string, listener: EventListenerOrEventListenerObject, options?: AddEventListenerOptions | boolean) => {
        const mark = { type }
        live.add(mark)
        const signal = typeof options === 'object' ? options.signal : undefined
        // One signal ends all listeners of the SDK: more than the ten after which Node suspects a leak. What leaks is
        // counted here.
        if (signal) setMaxListeners(0, signal)
        signal?.addEventListener('abort', () => live.delete(mark))
        add(type, listener, options)
      },
    )
  }
  vi.stubGlobal('fetch', async (_url: string, { body }: RequestInit) => {
    const text =
      typeof body === 'string'
        ? body
        : await new Response(
            new Response(body as ArrayBuffer).body?.pipeThrough(new DecompressionStream('gzip')),
          ).text()
    const { batch } = JSON.parse(text)
    received += batch.length
    return new Response(JSON.stringify({ success: true, accepted: batch.length, rejected: [] }))
  })
})

afterEach(() => {
  slotstream.destroy()
  vi.useRealTimers()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

it('grows by nothing over 10,000 events and 200 navigations, and leaves nothing', async () => {
  const { pushState, replaceState } = history
  slotstream.init({
    writeKey: 'demo',
    endpoint: 'https://c.example',
    parts: [pageViews, engagement],
    floodLimit: 20_000,
  })
  // Some of it starts in a later task.
  await vi.advanceTimersByTimeAsync(1)
  await slotstream.flush()
  const listeners = live.size
  const timers = vi.getTimerCount()
  for (let view = 0; view < 200; view++) {
    history.pushState(null, '', `/view-${view}`)
    for (let i = 0; i < 50; i++) slotstream.track('Seen', { i })
    if (view % 20 === 0) {
      window.dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))
      window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))
    }
    await slotstream.flush()
  }
  await vi.advanceTimersByTimeAsync(1)
  await slotstream.flush()
  expect(received).toBeGreaterThanOrEqual(10_000 + 200)
  expect(live.size).toBe(listeners)
  expect(vi.getTimerCount()).toBeLessThanOrEqual(timers + 1)
  slotstream.destroy()
  expect(live.size).toBe(0)
  await vi.advanceTimersByTimeAsync(40_000)
  expect(vi.getTimerCount()).toBe(0)
  expect([history.pushState, history.replaceState]).toEqual([pushState, replaceState])
}, 60_000)

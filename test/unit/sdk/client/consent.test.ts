import { IDBFactory } from 'fake-indexeddb'
import 'fake-indexeddb/auto'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { initialConsent, remember } from '#sdk/client/consent.js'
import * as slotstream from '#sdk/entries/index.js'

interface Body {
  batch?: { type: string; event?: string; anonymousId: string; userId?: string; timestamp: string }[]
  slots?: { id: string }[]
  batches?: unknown[]
  anonymousId?: string
}

let requests: { path: string; body: Body }[] = []

beforeEach(() => {
  localStorage.clear()
  vi.stubGlobal('indexedDB', new IDBFactory())
  history.replaceState(null, '', '/start')
  requests = []
  // So that these tests can read what is sent.
  vi.stubGlobal('CompressionStream', undefined)
  vi.stubGlobal('fetch', async (url: string, { body: text }: RequestInit) => {
    const body = JSON.parse(text as string) as Body
    requests.push({ path: new URL(url).pathname, body })
    const decisions = body.slots?.map(({ id }) => ({ slotId: id, decisionId: 'd', outcome: 'served', items: [] }))
    return new Response(JSON.stringify({ success: true, accepted: 1, rejected: [], decisions, batches: [] }))
  })
})

afterEach(() => {
  slotstream.destroy()
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

const start = (options: Partial<slotstream.Options> = {}) =>
  slotstream.init({
    writeKey: 'demo',
    endpoint: 'https://c.example',
    webVitals: false,
    engagement: false,
    autoSlots: false,
    autoPage: false,
    ...options,
  })
const messages = () => requests.flatMap(({ body }) => body.batch ?? [])
const names = () => messages().map(({ type, event }) => event ?? type)
const ids = () => [...new Set(messages().map(({ anonymousId }) => anonymousId))]
const stored = () => Object.keys(localStorage).filter(key => key !== 'slotstream-consent')
const databases = async () => (await indexedDB.databases()).map(({ name }) => name)
const settled = () => new Promise(resolve => setTimeout(resolve, 50))

describe('pending', () => {
  it('stores nothing and sends nothing', async () => {
    start({ consent: 'pending' })
    slotstream.track('A')
    slotstream.identify('ann')
    await slotstream.flush()
    window.dispatchEvent(new Event('pagehide'))
    await settled()
    expect(Object.keys(localStorage)).toEqual([])
    expect(await databases()).toEqual([])
    expect(requests).toEqual([])
  })

  it('granted, sends what was kept, with its own times and the same visitor', async () => {
    const before = Date.now()
    start({ consent: 'pending' })
    slotstream.track('A')
    slotstream.identify('ann')
    await settled()
    const granted = Date.now()
    slotstream.consent('granted')
    slotstream.track('B')
    await slotstream.flush()
    expect(names()).toEqual(['A', 'identify', 'B'])
    expect(ids()).toHaveLength(1)
    expect(Date.parse(messages()[0]?.timestamp ?? '')).toBeGreaterThanOrEqual(before)
    expect(Date.parse(messages()[0]?.timestamp ?? '')).toBeLessThan(granted)
    expect(localStorage.getItem('slotstream.anonymousId')).toBe(ids()[0])
    expect(localStorage.getItem('slotstream.userId')).toBe('ann')
  })

  it('denied, forgets what was kept', async () => {
    start({ consent: 'pending' })
    slotstream.track('A')
    slotstream.consent('denied')
    slotstream.track('B')
    await slotstream.flush()
    await settled()
    expect(requests).toEqual([])
    expect(stored()).toEqual([])
    expect(await databases()).toEqual([])
  })
})

it('takes true for granted and false for denied, in options and calls', async () => {
  start({ consent: false })
  expect(slotstream.consent()).toEqual({ analytics: 'denied', personalization: 'denied' })
  slotstream.consent({ analytics: true })
  expect(slotstream.consent()).toEqual({ analytics: 'granted', personalization: 'denied' })
  expect(localStorage.getItem('slotstream-consent')).toBe('granted denied')
  slotstream.track('A')
  await slotstream.flush()
  expect(names()).toEqual(['A'])
  slotstream.consent(false)
  expect(slotstream.consent()).toEqual({ analytics: 'denied', personalization: 'denied' })
  slotstream.consent(true)
  expect(slotstream.consent()).toEqual({ analytics: 'granted', personalization: 'granted' })
  expect(initialConsent({ personalization: false })).toEqual({ analytics: 'granted', personalization: 'denied' })
})

describe('denied', () => {
  it('deletes the queue and the ids of a browser that had agreed', async () => {
    start()
    slotstream.track('A')
    await slotstream.flush()
    expect(await databases()).toEqual(['slotstream-demo'])
    slotstream.consent('denied')
    slotstream.track('B')
    await slotstream.flush()
    await settled()
    expect(names()).toEqual(['A'])
    expect(stored()).toEqual([])
    expect(await databases()).toEqual([])
  })

  it('granted again, makes a new visitor', async () => {
    start()
    slotstream.identify('ann')
    await slotstream.flush()
    slotstream.consent('denied')
    slotstream.track('Lost')
    slotstream.consent('granted')
    slotstream.track('B')
    await slotstream.flush()
    await settled()
    expect(names()).toEqual(['identify', 'B'])
    expect(ids()).toHaveLength(2)
    expect(messages()[1]?.userId).toBeUndefined()
    expect(localStorage.getItem('slotstream.anonymousId')).toBe(messages()[1]?.anonymousId)
  })

  it('is remembered on the next page, whatever its option says', async () => {
    start()
    slotstream.consent('denied')
    slotstream.destroy()
    start({ consent: 'granted' })
    slotstream.track('A')
    await slotstream.flush()
    expect(slotstream.consent()).toEqual({ analytics: 'denied', personalization: 'denied' })
    expect(requests).toEqual([])
  })

  it('in another tab, holds in this one', async () => {
    start()
    slotstream.track('A')
    await slotstream.flush()
    localStorage.setItem('slotstream-consent', 'denied denied')
    window.dispatchEvent(new StorageEvent('storage', { key: 'slotstream-consent' }))
    slotstream.track('B')
    await slotstream.flush()
    expect(names()).toEqual(['A'])
    expect(slotstream.consent()?.analytics).toBe('denied')
  })
})

describe('the two purposes', () => {
  it('without personalization, leave slots to the page and go on counting', async () => {
    start({ consent: { personalization: 'denied' } })
    slotstream.track('A')
    expect(await slotstream.personalize('hero')).toMatchObject({ slotId: 'hero', outcome: 'unavailable', items: [] })
    await slotstream.flush()
    expect(requests.map(({ path }) => path)).toEqual(['/v1/batch'])
  })

  it('without analytics, fill slots for a visitor nobody remembers', async () => {
    start({ consent: { analytics: 'denied' } })
    slotstream.track('A')
    expect((await slotstream.personalize('hero')).outcome).toBe('served')
    expect(requests.map(({ path, body }) => [path, body.batches])).toEqual([['/v1/slots', []]])
    expect(Object.keys(localStorage)).toEqual([])
    expect(await databases()).toEqual([])
  })

  it('can be given one by one', async () => {
    start({ consent: 'pending' })
    slotstream.consent({ analytics: 'granted' })
    slotstream.track('A')
    await slotstream.flush()
    expect(names()).toEqual(['A'])
    expect(slotstream.consent()).toEqual({ analytics: 'granted', personalization: 'pending' })
    expect((await slotstream.personalize('hero')).outcome).toBe('unavailable')
    slotstream.consent({ personalization: 'granted' })
    expect((await slotstream.personalize('hero')).outcome).toBe('served')
  })

  it('start filling slots when personalization is granted', async () => {
    document.body.innerHTML = '<div data-slot="hero"></div>'
    start({ consent: { personalization: 'pending' }, autoSlots: true })
    await vi.dynamicImportSettled()
    await settled()
    expect(requests).toEqual([])
    vi.stubGlobal(
      'IntersectionObserver',
      class {
        disconnect() {}
      },
    )
    slotstream.consent({ personalization: 'granted' })
    await vi.dynamicImportSettled()
    await vi.waitFor(() => expect(requests.map(({ path }) => path)).toContain('/v1/slots'))
    document.body.replaceChildren()
  })
})

it('a choice made before init is applied by it', async () => {
  slotstream.track('A')
  slotstream.consent('denied')
  start()
  await slotstream.flush()
  expect(requests).toEqual([])
})

describe("the browser's signals", () => {
  it.each([
    ['gpc', { globalPrivacyControl: true }],
    ['dnt', { doNotTrack: '1' }],
  ])('deny by the option %s, and not without it', async (option, signal) => {
    vi.stubGlobal('navigator', Object.assign(Object.create(navigator), signal))
    start({ [option]: true })
    expect(slotstream.consent()).toEqual({ analytics: 'denied', personalization: 'denied' })
    slotstream.destroy()
    start()
    expect(slotstream.consent()?.analytics).toBe('granted')
  })

  it('give way to the choice of the visitor', () => {
    expect(initialConsent('pending', remember({ analytics: 'granted', personalization: 'pending' }), true)).toEqual({
      analytics: 'granted',
      personalization: 'denied',
    })
  })
})

describe('cookieless', () => {
  it('sends, stores nothing, and knows nobody on the next page', async () => {
    const visit = async () => {
      start({ cookieless: true })
      slotstream.track('A')
      slotstream.track('B')
      await slotstream.flush()
      slotstream.destroy()
    }
    await visit()
    await visit()
    expect(names()).toEqual(['A', 'B', 'A', 'B'])
    expect(ids()).toHaveLength(2)
    expect(Object.keys(localStorage)).toEqual([])
    expect(await databases()).toEqual([])
  })
})

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { consent, identify, type Options, reset, track } from '#sdk/entries/index.js'
import { onSessionFeatures, sessionFeatures } from '#sdk/entries/session-features.js'
import type { FeatureValues } from '#sdk/types.js'
import { openPage } from '../page.js'

const VIEWS = { name: 'views', source: { event: 'Product Viewed' }, aggregate: 'count', window: 'session' }
const BY_CATEGORY = { ...VIEWS, name: 'by_category', by: 'properties.category' }
const PREFIX = 'slotstream.queue.demo.'

let page: Awaited<ReturnType<typeof openPage>>
let definitions: unknown
let online: boolean
let asked: number

beforeEach(() => {
  definitions = { revision: 1, features: [VIEWS, BY_CATEGORY] }
  online = true
  asked = 0
})
afterEach(() => {
  page.close()
  localStorage.clear()
  sessionStorage.clear()
  vi.unstubAllGlobals()
})

async function open(options: Partial<Options> = {}) {
  page = await openPage({ autoPage: false, sessionFeatures: true, ...options }, '', async body => {
    if (body !== 'undefined') return JSON.stringify({ success: true, accepted: 1, rejected: [] })
    asked++
    if (!online) throw new TypeError('Failed to fetch')
    return typeof definitions === 'string' ? definitions : JSON.stringify(definitions)
  })
  await vi.dynamicImportSettled()
}
/** Ends the page and opens the next one of this tab. */
async function openNext(options: Partial<Options> = {}) {
  window.dispatchEvent(new Event('pagehide'))
  page.close()
  await open(options)
}
const settledAt = (values: FeatureValues) => vi.waitFor(() => expect(sessionFeatures()).toEqual(values))
const view = (category = 'camp') => track('Product Viewed', { product_id: 'p1', category })
const stored = () => Object.keys(localStorage).filter(key => key.startsWith(PREFIX) && /share|features/.test(key))
const shares = () => stored().filter(key => key.includes('share.'))

describe('the features of a session in the browser', () => {
  it('count what was tracked before the plugin had loaded, and tell of each change', async () => {
    const opening = open()
    view()
    view('home')
    await opening
    await settledAt({ views: 2, by_category: { camp: 1, home: 1 } })
    const heard: FeatureValues[] = []
    const stop = onSessionFeatures(values => heard.push(values))
    view()
    await vi.waitFor(() => expect(heard).toHaveLength(2))
    expect(heard.map(({ views }) => views)).toEqual([2, 3])
    stop()
    view()
    await settledAt({ views: 4, by_category: { camp: 3, home: 1 } })
    expect(heard).toHaveLength(2)
  })

  it('go on with the next page of the tab, which asks for nothing', async () => {
    await open()
    view()
    await settledAt({ views: 1, by_category: { camp: 1 } })
    await openNext()
    view()
    await settledAt({ views: 2, by_category: { camp: 2 } })
    expect(asked).toBe(1)
    expect(shares()).toHaveLength(1)
  })

  it('go on beside a tab that was closed or duplicated, each with a share of its own', async () => {
    await open()
    view()
    await settledAt({ views: 1, by_category: { camp: 1 } })
    // The page still runs: what copies its storage now is another tab.
    expect(sessionStorage.length).toBe(0)
    page.close()
    sessionStorage.clear()
    await open()
    view('home')
    await settledAt({ views: 2, by_category: { camp: 1, home: 1 } })
    expect(shares()).toHaveLength(2)
  })

  it('are told when another tab has counted', async () => {
    await open()
    view()
    await settledAt({ views: 1, by_category: { camp: 1 } })
    const [key = ''] = shares()
    const heard: FeatureValues[] = []
    onSessionFeatures(values => heard.push(values))
    const other = `${PREFIX}share.other`
    localStorage.setItem(other, localStorage.getItem(key)!)
    window.dispatchEvent(new StorageEvent('storage', { key: other }))
    await vi.waitFor(() => expect(heard.at(-1)).toEqual({ views: 2, by_category: { camp: 2 } }))
  })

  it('begin anew with a session, which takes the definitions of then', async () => {
    await open({ sessionTimeout: 1 })
    view()
    await settledAt({ views: 1, by_category: { camp: 1 } })
    definitions = { revision: 2, features: [VIEWS] }
    page.close()
    await new Promise(resolve => setTimeout(resolve, 5))
    await open({ sessionTimeout: 1 })
    view()
    await settledAt({ views: 1 })
    expect(asked).toBe(2)
  })

  it('are those of one visitor: nothing stays after reset, and of another user', async () => {
    await open()
    view()
    identify('ann')
    await settledAt({ views: 1, by_category: { camp: 1 } })
    reset()
    await vi.waitFor(() => expect(shares()).toEqual([]))
    expect(sessionFeatures()).toEqual({ views: 0, by_category: {} })
    view('home')
    identify('ben')
    await settledAt({ views: 1, by_category: { home: 1 } })
    identify('cleo')
    await settledAt({ views: 0, by_category: {} })
  })
})

describe('without consent', () => {
  it('nothing is counted or kept, and what was there is deleted', async () => {
    await open()
    view()
    await settledAt({ views: 1, by_category: { camp: 1 } })
    consent('denied')
    view()
    window.dispatchEvent(new Event('pagehide'))
    await settledAt({})
    expect(stored()).toEqual([])
    expect(sessionStorage.length).toBe(0)
  })

  it('that is pending, nothing leaves the memory of the page until it is given', async () => {
    await open({ consent: 'pending' })
    view()
    await settledAt({ views: 1, by_category: { camp: 1 } })
    window.dispatchEvent(new Event('pagehide'))
    expect([stored(), sessionStorage.length]).toEqual([[], 0])
    consent('granted')
    view()
    await settledAt({ views: 2, by_category: { camp: 2 } })
    expect(shares()).toHaveLength(1)
  })

  it('of storage, as where nothing is stored at all, they last as long as the page', async () => {
    await open({ cookieless: true })
    view()
    await settledAt({ views: 1, by_category: { camp: 1 } })
    window.dispatchEvent(new Event('pagehide'))
    expect([stored(), sessionStorage.length]).toEqual([[], 0])
  })
})

describe('without a network', () => {
  it('messages wait for the definitions, through the next page, and count once these are known', async () => {
    online = false
    await open()
    view()
    await vi.waitFor(() => expect(asked).toBe(1))
    await openNext()
    view('home')
    expect(sessionFeatures()).toEqual({})
    online = true
    window.dispatchEvent(new Event('online'))
    await settledAt({ views: 2, by_category: { camp: 1, home: 1 } })
  })

  it('a session goes on, and a new one has the definitions of the one before', async () => {
    await open({ sessionTimeout: 1 })
    view()
    await settledAt({ views: 1, by_category: { camp: 1 } })
    online = false
    page.close()
    await new Promise(resolve => setTimeout(resolve, 5))
    await open({ sessionTimeout: 1 })
    view('home')
    await vi.waitFor(() => expect(asked).toBe(2))
    await settledAt({ views: 1, by_category: { home: 1 } })
  })
})

describe('what others say', () => {
  it.each([
    ['no JSON', '<!doctype html>'],
    ['no definitions', { error: { code: 'unknown_key' } }],
    ['far too much', { features: [VIEWS], padding: 'x'.repeat(70_000) }],
  ])('of definitions, %s, leaves the page as it is, and nothing is told', async (_what, answer) => {
    definitions = answer
    await open()
    view()
    await vi.waitFor(() => expect(asked).toBe(1))
    expect(page.names()).toEqual(['Product Viewed'])
    expect(sessionFeatures()).toEqual({})
  })

  it('of single definitions that are none leaves the others', async () => {
    definitions = {
      features: [
        null,
        5,
        { name: 'x' },
        { ...VIEWS, name: 'y', by: {} },
        { ...VIEWS, source: { event: 'A', where: 1 } },
        VIEWS,
      ],
    }
    await open()
    view()
    await settledAt({ views: 1 })
  })

  it.each(['{', '{"visitor":"v"}', '[]', 'null', 'CELLS'])('in storage, %s, is not believed', async text => {
    await open()
    view()
    await settledAt({ views: 1, by_category: { camp: 1 } })
    const share = JSON.parse(localStorage.getItem(shares()[0]!)!)
    share.visits[0][4] = share.visits[0][4].map((cell: unknown) => (typeof cell === 'string' ? cell : { a: 1 }))
    localStorage.setItem(`${PREFIX}share.other`, text === 'CELLS' ? JSON.stringify(share) : text)
    sessionFeatures()
    page.close()
    await open()
    view()
    await vi.waitFor(() => expect(sessionFeatures().views).toBeGreaterThan(0))
    expect(page.names()).toEqual(['Product Viewed'])
  })

  it('that becomes too large is given up, for the whole session, rather than told wrongly', async () => {
    definitions = {
      features: [{ ...VIEWS, name: 'all', aggregate: 'unique', value: 'properties.name', by: 'properties.k' }],
    }
    await open()
    for (let i = 0; i < 600; i++) track('Product Viewed', { name: `${i}${'x'.repeat(240)}`, k: `k${i % 10}` })
    await vi.waitFor(() => expect(page.names()).toHaveLength(600))
    await vi.waitFor(() => expect(shares()).toHaveLength(1))
    expect(sessionFeatures()).toEqual({})
    expect(stored().reduce((sum, key) => sum + localStorage.getItem(key)!.length, 0)).toBeLessThan(100_000)
    await openNext()
    track('Product Viewed', { name: 'one more', k: 'k' })
    expect(sessionFeatures()).toEqual({})
  })
})

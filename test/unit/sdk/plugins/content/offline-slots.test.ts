import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  consent,
  identify,
  type Options,
  personalize,
  refresh,
  reset,
  type SlotDecision,
  track,
} from '#sdk/entries/index.js'
import { openPage } from '../page.js'
import { stubViewing } from '../viewing.js'

const TEMPLATE = '<template data-slot-template><b data-text="title"></b></template>'
const SLOT = `<div data-slot="hero"><p>own</p>${TEMPLATE}</div>`
const items = [{ contentId: 'c1', position: 1, payload: { title: 'Tents' } }]

let page: Awaited<ReturnType<typeof openPage>>
let viewing: ReturnType<typeof stubViewing>
let online: boolean
let decide: () => Partial<SlotDecision>
let asked: number

beforeEach(() => {
  viewing = stubViewing()
  online = true
  asked = 0
  decide = () => ({ outcome: 'served', items })
})
afterEach(() => {
  page.close()
  localStorage.clear()
  sessionStorage.clear()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

async function open(markup = SLOT, options: Partial<Options> = {}) {
  const all = { autoSlots: true, impressions: true, slotTimeout: 5_000, ...options }
  page = await openPage(all, markup, async body => {
    const { slots } = JSON.parse(body) as { slots?: { id: string }[] }
    if (!slots) return JSON.stringify({ success: true, accepted: 1, rejected: [] })
    asked++
    if (!online) throw new TypeError('Failed to fetch')
    return JSON.stringify({ decisions: slots.map(({ id }) => ({ slotId: id, decisionId: `d-${id}`, ...decide() })) })
  })
  await vi.dynamicImportSettled()
}
/** Leaves the page and opens another, without a collector. */
async function openOffline(markup = SLOT, options: Partial<Options> = {}) {
  page.close()
  online = false
  await open(markup, options)
}
const slot = () => document.querySelector<HTMLElement>('[data-slot="hero"]')!
const settled = (state: string) => vi.waitFor(() => expect(slot().dataset.slotState).toBe(state))
const kept = () => localStorage.getItem('slotstream.queue.demo.last')
const keptHero = () => vi.waitFor(() => expect(kept()).toContain('Tents'))
const NONE = { slotId: 'hero', decisionId: '', outcome: 'unavailable', items: [] }

describe('without a collector', () => {
  it('a slot shows its last decision, marked as none, and nothing of it is counted again', async () => {
    const began = Date.now()
    await open()
    await settled('served')
    await keptHero()
    await openOffline()
    await settled('served')
    expect(slot().querySelector('b')?.textContent).toBe('Tents')
    expect(slot().dataset.decisionId).toBe('')
    viewing.show('b')
    await new Promise(resolve => setTimeout(resolve, 1_100))
    slot().querySelector('b')?.click()
    expect(page.names().filter(name => /Viewed|Clicked/.test(name))).toEqual([])
    expect(page.tracked[0]).toMatchObject({
      event: 'Slot Fell Back',
      properties: { slotId: 'hero', outcome: 'unavailable' },
    })
    const decisions = vi.fn()
    addEventListener('slotstream:decision', event => decisions((event as CustomEvent).detail), { once: true })
    const decision = await personalize('hero', { fallback: [{ title: 'Ours' }] })
    expect(decision).toEqual({ ...NONE, outcome: 'served', items, cachedAt: expect.any(Number) })
    expect(decision.cachedAt).toBeGreaterThanOrEqual(began)
    expect(decisions).toHaveBeenCalledWith(decision)
  })

  it('it asks again, and takes the answer', async () => {
    await open()
    await keptHero()
    await openOffline()
    await settled('served')
    const before = asked
    online = true
    decide = () => ({ outcome: 'served', items: [{ ...items[0]!, payload: { title: 'Lamps' } }] })
    refresh()
    await vi.waitFor(() => expect(slot().querySelector('b')?.textContent).toBe('Lamps'))
    expect(asked).toBe(before + 1)
    expect(slot().dataset.decisionId).toBe('d-hero')
  })

  it('what a page shows stays, with its decision', async () => {
    await open()
    await settled('served')
    await keptHero()
    online = false
    track('Product Viewed')
    refresh()
    await vi.waitFor(() => expect(asked).toBe(2))
    await new Promise(resolve => setTimeout(resolve, 50))
    expect(slot().dataset).toMatchObject({ slotState: 'served', decisionId: 'd-hero' })
  })

  it.each<[string, () => unknown]>([
    ['a day later', () => vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 86_400_000)],
    ['to the next visitor', () => reset()],
    ['to somebody who has logged in', () => identify('ann')],
    ['once nothing may be kept', () => consent('denied')],
    [
      'after a decision for nothing',
      () => {
        decide = () => ({ outcome: 'holdout', items: [] })
        track('Product Viewed')
        return personalize('hero')
      },
    ],
  ])('nothing is shown again %s', async (_when, change) => {
    await open()
    await settled('served')
    await keptHero()
    await change()
    online = false
    consent('granted')
    await openOffline()
    await settled('fallback')
    expect(await personalize('hero')).toEqual(NONE)
  })

  it('nothing is kept once personalization is rejected', async () => {
    await open()
    await keptHero()
    consent({ personalization: 'denied' })
    expect(kept()).toBeNull()
  })

  it('nothing is shown again, or kept, where the page does not want it, or the browser sends a privacy signal', async () => {
    await open(SLOT, { offlineSlots: false })
    await settled('served')
    await vi.dynamicImportSettled()
    expect(kept()).toBeNull()
    page.close()
    await open()
    await keptHero()
    Object.defineProperty(navigator, 'globalPrivacyControl', { value: true, configurable: true })
    await openOffline()
    await settled('fallback')
    expect(kept()).toBeNull()
    Object.defineProperty(navigator, 'globalPrivacyControl', { value: undefined, configurable: true })
  })

  it('a time-out is one: the answer may still come, and be recorded', async () => {
    await open()
    await keptHero()
    await openOffline()
    await settled('served')
    vi.stubGlobal('fetch', () => new Promise(() => {}))
    expect(await personalize('hero', { timeout: 20 })).toMatchObject({ outcome: 'timeout', items: [] })
  })

  it.each(['null', '[]', '{"hero":5}', '{"hero":[1e99,"v",{}]}', '{'])('storage may have anything: %s', async text => {
    await open('')
    localStorage.setItem('slotstream.queue.demo.last', text)
    await openOffline()
    await settled('fallback')
    expect(await personalize('hero')).toEqual(NONE)
  })

  it('payloads that would fill the storage are not kept', async () => {
    decide = () => ({ outcome: 'served', items: [{ ...items[0]!, payload: { title: 'x'.repeat(100_000) } }] })
    await open()
    await settled('served')
    await vi.dynamicImportSettled()
    expect(kept()).toBeNull()
  })
})

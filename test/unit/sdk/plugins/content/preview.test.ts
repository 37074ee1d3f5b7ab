import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Options, personalize, type SlotDecision } from '#sdk/entries/index.js'
import { openPage } from '../page.js'
import { stubViewing } from '../viewing.js'

const TEMPLATE = '<template data-slot-template><b data-text="title"></b></template>'
const SLOT = `<div data-slot="hero"><p>own</p>${TEMPLATE}</div>`

interface Body {
  anonymousId: string
  preview?: string
  slots?: { id: string }[]
  batch?: object[]
  batches?: { batch: object[] }[]
}

let page: Awaited<ReturnType<typeof openPage>>
let viewing: ReturnType<typeof stubViewing>
let bodies: Body[]
let status: number

beforeEach(() => {
  viewing = stubViewing()
  bodies = []
  status = 200
})
afterEach(() => {
  page.close()
  vi.unstubAllGlobals()
  localStorage.clear()
  sessionStorage.clear()
})

async function open(search = '', options: Partial<Options> = {}) {
  const opening = openPage({ autoSlots: true, impressions: true, slotTimeout: 5_000, ...options }, SLOT, async text => {
    const body = JSON.parse(text) as Body
    bodies.push(body)
    if (!body.slots) return JSON.stringify({ success: true, accepted: 1, rejected: [] })
    if (body.preview && status === 0) throw new TypeError('no answer')
    if (body.preview && status !== 200) return new Response('{}', { status })
    const decision: Partial<SlotDecision> = {
      decisionId: body.preview ? '' : 'd1',
      outcome: 'served',
      items: [{ contentId: 'c', position: 1, payload: { title: body.preview ? 'Chosen' : 'Mine' } }],
      ...(body.preview && { preview: true as const }),
    }
    return JSON.stringify({ decisions: body.slots.map(({ id }) => ({ slotId: id, ...decision })) })
  })
  history.replaceState({ of: 'the page' }, '', `/start${search}`)
  page = await opening
  await vi.dynamicImportSettled()
}
const shown = () => document.querySelector('[data-slot] b')?.textContent
const shows = (title: string) => vi.waitFor(() => expect(shown()).toBe(title), { timeout: 5_000 })
const badge = () => document.querySelector('slotstream-preview')?.shadowRoot

describe('a tab that was opened by a preview link', () => {
  it('shows what the link shows, on this page and the next, and says so', async () => {
    await open('?a=1&slotstream_preview=token&b=2#c')
    await shows('Chosen')
    expect(location.href).toMatch(/\/start\?a=1&b=2#c$/)
    expect(history.state).toEqual({ of: 'the page' })
    expect(badge()?.textContent).toContain('Preview')
    page.close()
    expect(badge()).toBeUndefined()
    bodies = []
    await open()
    await shows('Chosen')
    expect(bodies.at(-1)).toMatchObject({ preview: 'token', anonymousId: expect.any(String) })
    expect(await personalize('hero')).toMatchObject({ preview: true, decisionId: '' })
  })

  it('tracks nothing of it, and keeps nothing of it', async () => {
    await open('?slotstream_preview=token')
    await shows('Chosen')
    viewing.show('b')
    await new Promise(resolve => setTimeout(resolve, 1_100))
    document.querySelector<HTMLElement>('[data-slot] b')?.click()
    expect(page.names()).toEqual([])
    expect(localStorage.getItem('slotstream.queue.demo.last') ?? '').not.toContain('Chosen')
  })

  it('sends the token with requests for slots only', async () => {
    await open('?slotstream_preview=token')
    await shows('Chosen')
    const messages = bodies.flatMap(({ batch = [], batches = [] }) => [...batch, ...batches.flatMap(it => it.batch)])
    expect(messages.length).toBeGreaterThan(0)
    expect(messages.filter(message => 'preview' in message)).toEqual([])
  })

  it('says so when there is no answer, and goes on', async () => {
    status = 0
    await open('?slotstream_preview=token')
    await vi.waitFor(() => expect(badge()?.textContent).toContain('no answer'))
    expect(sessionStorage).toHaveLength(1)
  })

  it('is one like any other when the link has expired, or is none: it gets its slots, and tracks', async () => {
    status = 403
    await open('?slotstream_preview=made-up')
    await shows('Mine')
    expect(badge()?.textContent).toContain('has expired')
    expect(sessionStorage).toHaveLength(0)
    viewing.show('b')
    await vi.waitFor(() => expect(page.names()).toContain('Slot Viewed'), { timeout: 5_000 })
    expect(bodies.at(-1)).not.toHaveProperty('preview')
  })

  it('ends with an empty token', async () => {
    await open('?slotstream_preview=token')
    await shows('Chosen')
    page.close()
    bodies = []
    await open('?slotstream_preview=')
    await shows('Mine')
    await vi.waitFor(() => expect(location.search).toBe(''))
    expect(bodies.some(({ preview }) => preview)).toBe(false)
    expect(sessionStorage).toHaveLength(0)
  })
})

it('a tab that was not opened so loads no preview and keeps its URL', async () => {
  await open('?a=1')
  await shows('Mine')
  expect(location.search).toBe('?a=1')
  expect(badge()).toBeUndefined()
})

it('the preview lasts for the page where storage is blocked', async () => {
  vi.stubGlobal('sessionStorage', {
    getItem: () => {
      throw new Error('blocked')
    },
    setItem: () => {
      throw new Error('blocked')
    },
  })
  await open('?slotstream_preview=token')
  await shows('Chosen')
})

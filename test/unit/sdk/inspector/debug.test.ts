import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import * as slotstream from '#sdk/entries/index.js'
import { follow, type Happening } from '#sdk/inspector/happenings.js'
import { duration, linesOf, titleOf } from '#sdk/inspector/lines.js'

const textsOf = (name: string, detail: unknown) =>
  linesOf({ name, detail, at: 0 } as Happening).map(({ level, text }) => `${level} ${text}`)

describe('a line for the console', () => {
  it('names a message by what it says', () => {
    expect(textsOf('captured', { type: 'track', event: 'Product Viewed', properties: {} })).toEqual([
      'log captured track "Product Viewed"',
    ])
    expect(titleOf({ type: 'page', name: 'Checkout' })).toBe('page "Checkout"')
    expect(titleOf({ type: 'page' })).toBe('page')
    expect(titleOf({ type: 'identify', userId: 'ann' })).toBe('identify ann')
    expect(titleOf({ type: 'group', userId: 'ann', groupId: 'acme' })).toBe('group acme')
  })

  it('says how much was sent, and what the collector rejected and why', () => {
    expect(textsOf('sent', { messageIds: ['a'], bytes: 840 })).toEqual(['log sent 1 message, 840 B'])
    expect(textsOf('sent', { messageIds: ['a', 'b'], bytes: 1_240 })).toEqual(['log sent 2 messages, 1.2 KB'])
    const rejected = [{ messageId: 'a', index: 0, code: 'invalid', reason: 'event must be text' }]
    const violations = [
      { messageId: 'b', index: 1, code: 'schema_violation', reason: 'properties.price must be number' },
    ]
    expect(textsOf('acknowledged', { accepted: 1, rejected, violations })).toEqual([
      'log acknowledged 1 message',
      'warn rejected a: event must be text',
      'warn stored against the tracking plan b: properties.price must be number',
    ])
  })

  it('says what to do about what went wrong, and only the reason where it knows nothing', () => {
    expect(textsOf('dropped', { reason: 'http_401', messageIds: ['a'] })[0]).toMatch(
      /^warn dropped 1 message.*`writeKey`/,
    )
    const [retry] = textsOf('retry', { attempt: 2, delayMs: 1_300, reason: 'network' })
    expect(retry).toMatch(/^warn attempt 2 failed, the next in 1\.3 s\..*`endpoint`/)
    expect(textsOf('retry', { attempt: 1, delayMs: 90, reason: 'http_599' })).toEqual([
      'warn attempt 1 failed, the next in 90 ms. http_599',
    ])
    expect(duration(600_000)).toBe('10 min')
  })

  it('says what a slot shows, or why it shows nothing', () => {
    const items = [{ contentId: 'tea', position: 1, payload: {} }]
    expect(textsOf('decision', { slotId: 'hero', outcome: 'served', items, reason: { policy: 'affinity' } })).toEqual([
      'log slot hero: served tea by affinity',
    ])
    const shown = { slotId: 'hero', outcome: 'served', items }
    expect(textsOf('decision', { ...shown, cachedAt: 5 })).toEqual(['log slot hero: shown again tea'])
    expect(textsOf('decision', { ...shown, preview: true })).toEqual(['log slot hero: previewed tea'])
    expect(textsOf('decision', { slotId: 'hero', outcome: 'unknown_slot', items: [] })[0]).toContain('catalog')
  })
})

describe('the option debug', () => {
  let lines: string[]

  beforeEach(() => {
    lines = []
    localStorage.clear()
    vi.stubGlobal('fetch', async () => new Response('{"success":true,"accepted":1,"rejected":[]}'))
    for (const level of ['log', 'warn'] as const)
      vi.spyOn(console, level).mockImplementation((line: string, ...objects) => {
        lines.push([line, ...objects.filter(object => object instanceof Error)].join(' '))
      })
  })

  afterEach(() => {
    slotstream.destroy()
    vi.unstubAllGlobals()
    vi.restoreAllMocks()
  })

  const start = async (options: Partial<slotstream.Options>) => {
    slotstream.init({ writeKey: 'demo', webVitals: false, engagement: false, autoSlots: false, ...options })
    slotstream.track('Early')
    await vi.dynamicImportSettled()
    await slotstream.flush()
  }

  it('writes what happened before it was loaded, too, and each line once whatever the visitor agrees to', async () => {
    await start({ debug: true, consent: 'pending' })
    slotstream.consent('denied')
    slotstream.consent('granted')
    await vi.dynamicImportSettled()
    slotstream.track('Late')
    await slotstream.flush()
    await vi.waitFor(() => expect(lines.at(-1)).toContain('acknowledged'))
    expect(lines.filter(line => line.includes('"Early"'))).toEqual(['[slotstream] captured track "Early"'])
    expect(lines.filter(line => line.includes('"Late"'))).toHaveLength(1)
    expect(lines).toContain('[slotstream] consent: analytics denied, personalization denied')
  })

  it('writes what goes wrong in middleware, with parts of your own choice as well', async () => {
    slotstream.addMiddleware(() => {
      throw new Error('mine')
    })
    await start({ debug: true, parts: [] })
    expect(lines).toContain('[slotstream] error Error: mine')
  })

  it('is silent without it', async () => {
    await start({})
    expect(lines).toEqual([])
  })
})

it('remembers the latest events only, and nothing after destroy', async () => {
  const { recent } = await import('#sdk/platform/emit.js')
  vi.stubGlobal('fetch', async () => new Response('{"success":true,"accepted":1,"rejected":[]}'))
  slotstream.init({ writeKey: 'demo', webVitals: false, engagement: false, autoSlots: false })
  for (let i = 0; i < 500; i++) slotstream.track('A', { i })
  expect(recent).toHaveLength(200)
  slotstream.destroy()
  expect(recent).toHaveLength(0)
  slotstream.init({ writeKey: 'demo', webVitals: false, engagement: false, autoSlots: false })
  // Any call brings the start forward.
  slotstream.consent()
  const told: string[] = []
  follow(recent, { on: () => {} }, ({ name }) => told.push(name))
  expect(told).toEqual(['captured'])
  slotstream.destroy()
  vi.unstubAllGlobals()
})

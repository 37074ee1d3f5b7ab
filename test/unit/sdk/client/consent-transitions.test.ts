import { IDBFactory } from 'fake-indexeddb'
import 'fake-indexeddb/auto'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import * as slotstream from '#sdk/entries/index.js'

type State = slotstream.ConsentState

let sent: slotstream.Message[]
let captured: slotstream.Message[]
let listening: AbortController

beforeEach(() => {
  localStorage.clear()
  vi.stubGlobal('indexedDB', new IDBFactory())
  sent = []
  captured = []
  listening = new AbortController()
  window.addEventListener('slotstream:captured', event => captured.push((event as CustomEvent).detail), {
    signal: listening.signal,
  })
  // So that these tests can read what is sent.
  vi.stubGlobal('CompressionStream', undefined)
  vi.stubGlobal('fetch', async (_url: string, { body }: RequestInit) => {
    sent.push(...JSON.parse(String(body)).batch)
    return new Response(JSON.stringify({ success: true, accepted: 1, rejected: [] }))
  })
})

afterEach(() => {
  listening.abort()
  slotstream.destroy()
  vi.unstubAllGlobals()
})

const nameOf = ({ event, type }: slotstream.Message) => event ?? type
const find = (name: string) => captured.find(message => nameOf(message) === name)
const settle = async () => {
  await slotstream.flush()
  await new Promise(resolve => setTimeout(resolve, 20))
}

/** What a choice does to the messages, the visitor and the browser. */
interface Effect {
  from: State
  to: State
  /** Names of what was sent after the choice. */
  sends: string[]
  /** What joins what is captured after the choice with what was captured before it. */
  visitor: 'same' | 'another' | 'nobody'
  /** Whether the browser keeps ids. */
  keeps: boolean
  /** What is sent when the visitor agrees in the end, and whose the last message is. */
  thenGranted: { sends: string[]; visitor: 'same' | 'another'; userId: string | undefined }
}

const effects: Effect[] = [
  {
    from: 'pending',
    to: 'granted',
    sends: ['identify', 'Before', 'After'],
    visitor: 'same',
    keeps: true,
    thenGranted: { sends: ['identify', 'Before', 'After', 'Last'], visitor: 'same', userId: 'ann' },
  },
  {
    from: 'pending',
    to: 'pending',
    sends: [],
    visitor: 'same',
    keeps: false,
    thenGranted: { sends: ['identify', 'Before', 'After', 'Last'], visitor: 'same', userId: 'ann' },
  },
  {
    from: 'pending',
    to: 'denied',
    sends: [],
    visitor: 'nobody',
    keeps: false,
    thenGranted: { sends: ['Last'], visitor: 'another', userId: undefined },
  },
  {
    from: 'granted',
    to: 'granted',
    sends: ['identify', 'Before', 'After'],
    visitor: 'same',
    keeps: true,
    thenGranted: { sends: ['identify', 'Before', 'After', 'Last'], visitor: 'same', userId: 'ann' },
  },
  {
    from: 'granted',
    to: 'pending',
    sends: [],
    visitor: 'same',
    keeps: true,
    thenGranted: { sends: ['identify', 'Before', 'After', 'Last'], visitor: 'same', userId: 'ann' },
  },
  {
    from: 'granted',
    to: 'denied',
    sends: [],
    visitor: 'nobody',
    keeps: false,
    thenGranted: { sends: ['Last'], visitor: 'another', userId: undefined },
  },
  {
    from: 'denied',
    to: 'granted',
    sends: ['After'],
    visitor: 'another',
    keeps: true,
    thenGranted: { sends: ['After', 'Last'], visitor: 'another', userId: undefined },
  },
  {
    from: 'denied',
    to: 'pending',
    sends: [],
    visitor: 'another',
    keeps: false,
    thenGranted: { sends: ['After', 'Last'], visitor: 'another', userId: undefined },
  },
  {
    from: 'denied',
    to: 'denied',
    sends: [],
    visitor: 'nobody',
    keeps: false,
    thenGranted: { sends: ['Last'], visitor: 'another', userId: undefined },
  },
]

describe.each(effects)('consent from $from to $to', ({ from, to, sends, visitor, keeps, thenGranted }) => {
  /** A browser that had agreed once, so that there is something to go on with, or to forget. */
  const visit = async () => {
    slotstream.init({
      writeKey: 'demo',
      endpoint: 'https://c.example',
      autoPage: false,
      autoSlots: false,
      engagement: false,
      webVitals: false,
      impressions: false,
      flushInterval: 60_000,
      consent: from,
    })
    slotstream.identify('ann')
    slotstream.track('Before')
    slotstream.consent(to)
    slotstream.track('After')
    await settle()
  }

  it('sends, joins and keeps what it should', async () => {
    await visit()
    expect(sent.map(nameOf)).toEqual(sends)
    const [before, after] = [find('Before'), find('After')]
    if (visitor === 'same') expect(after).toMatchObject({ anonymousId: before?.anonymousId, userId: 'ann' })
    if (visitor === 'another') expect(after?.userId).toBeUndefined()
    if (visitor === 'another') expect(after?.anonymousId).not.toBe(before?.anonymousId)
    if (visitor === 'nobody') expect(after).toBeUndefined()
    expect(localStorage.getItem('slotstream.anonymousId') !== null).toBe(keeps)
    expect(localStorage.getItem('slotstream.userId')).toBe(keeps && visitor === 'same' ? 'ann' : null)
    if (!keeps) expect(await indexedDB.databases()).toEqual([])
  })

  it('and agreed to in the end, sends what was kept, of whom it was', async () => {
    await visit()
    slotstream.consent('granted')
    slotstream.track('Last')
    await settle()
    expect(sent.map(nameOf)).toEqual(thenGranted.sends)
    const last = find('Last')
    expect(last?.userId).toBe(thenGranted.userId)
    expect(last?.anonymousId === find('Before')?.anonymousId).toBe(thenGranted.visitor === 'same')
    expect(localStorage.getItem('slotstream.anonymousId')).toBe(last?.anonymousId)
    expect(new Set(sent.map(({ messageId }) => messageId)).size).toBe(sent.length)
  })

  it('is what the next page begins with, save that nobody has chosen to wait', async () => {
    await visit()
    slotstream.destroy()
    slotstream.init({ writeKey: 'demo', endpoint: 'https://c.example', consent: 'pending', parts: [] })
    expect(slotstream.consent()?.analytics).toBe(to)
  })
})

import { afterEach, beforeEach, vi } from 'vitest'
import * as slotstream from '#sdk/entries/index.js'

export interface Body {
  batchId?: string
  batch?: Message[]
  batches?: { batch: Message[] }[]
  slots?: { id: string; count?: number }[]
  ledger?: { dropped: Record<string, number> }
}
export interface Message {
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

/** Requests that the page has sent. */
export let requests: { url: string; init: RequestInit; body: Body }[] = []
let visibility: DocumentVisibilityState
/** Elements that are observed, by observer. */
export let observed: { callback: IntersectionObserverCallback; elements: Set<Element> }[] = []

/** Puts a page with the stubs that tests read in place of the last one, before each test. */
export function withPage(): void {
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
}

/** Resolves when the parts that load on demand have started. */
export const start = (options: Partial<slotstream.Options> = {}) => {
  slotstream.init({ writeKey: 'demo', endpoint: 'https://c.example', webVitals: false, engagement: false, ...options })
  // Parts begin in the task after the start, which is the one after `init`.
  return vi.advanceTimersByTimeAsync(2).then(vi.dynamicImportSettled)
}
/** Returns all messages that were sent. */
export const messages = () =>
  requests.flatMap(({ body }) => [...(body.batch ?? []), ...(body.batches ?? []).flatMap(({ batch }) => batch)])
/** Returns the names of the events that were sent, or their types. */
export const names = () => messages().map(({ type, event }) => event ?? type)
/** Sends what waits, with a sender that loads in the task after the answer for slots. */
export const flushLater = () => Promise.all([slotstream.flush(), vi.advanceTimersByTimeAsync(0)])
/** Ends the page. */
export const hide = () => {
  visibility = 'hidden'
  window.dispatchEvent(new Event('pagehide'))
}

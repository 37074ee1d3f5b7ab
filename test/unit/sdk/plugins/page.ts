import { vi } from 'vitest'
import * as slotstream from '#sdk/entries/index.js'

export interface Tracked {
  event: string
  properties: Record<string, unknown>
  pageViewId: string
}

const accepted = async () => JSON.stringify({ success: true, accepted: 1, rejected: [] })

/**
 * A page with these parts switched on, and a collector that says `answer`. `tracked` is what they captured, in order.
 */
export async function openPage(
  options: Partial<slotstream.Options>,
  markup = '',
  answer: (body: string) => Promise<string | Response> = accepted,
) {
  document.body.innerHTML = markup
  history.replaceState(null, '', '/start')
  const tracked: Tracked[] = []
  const abort = new AbortController()
  window.addEventListener(
    'slotstream:captured',
    event => {
      const { type, event: name, properties, context } = (event as CustomEvent<slotstream.Message>).detail
      if (type === 'track')
        tracked.push({
          event: name ?? '',
          properties: JSON.parse(JSON.stringify(properties)),
          pageViewId: String(context.pageViewId),
        })
    },
    { signal: abort.signal },
  )
  // So that these tests can read what is sent.
  vi.stubGlobal('CompressionStream', undefined)
  vi.stubGlobal('fetch', async (_url: string, { body }: RequestInit) => {
    const answered = await answer(String(body))
    return typeof answered === 'string' ? new Response(answered) : answered
  })
  slotstream.init({
    writeKey: 'demo',
    endpoint: 'https://c.example',
    webVitals: false,
    engagement: false,
    autoSlots: false,
    impressions: false,
    ...options,
  })
  await vi.dynamicImportSettled()
  // A part behind two imports.
  await vi.dynamicImportSettled()
  return {
    tracked,
    names: () => tracked.map(({ event }) => event),
    close() {
      abort.abort()
      slotstream.destroy()
      document.body.replaceChildren()
    },
  }
}

/** Clicks, and keeps the page from following. */
export function click(selector: string, type = 'click', button = 0): boolean {
  const stay = (event: Event) => event.preventDefault()
  window.addEventListener(type, stay, { once: true })
  const target = document.querySelector(selector)
  if (!target) throw new Error(`there is no ${selector}`)
  return target.dispatchEvent(new MouseEvent(type, { bubbles: true, composed: true, cancelable: true, button }))
}

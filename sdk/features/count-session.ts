import { markIntegers, type StoredMessage } from '@slotstream/protocol'
import type { PluginApi } from '../client/plugin-api.js'
import { REMEMBERED } from '../platform/emit.js'
import { jsonOf } from '../platform/json.js'
import { createCounter } from './counter.js'
import { createDefinitions } from './definitions.js'
import { createShares } from './shares.js'
import { createTab } from './tab.js'
import { CHANGED, readFrom, sessionFeatures } from './values.js'

/** Longest wait for definitions, in milliseconds. */
const TIMEOUT_MS = 10_000

/** Messages that were counted: the plugin starts again when the visitor's consent changes. */
const counted = new WeakSet<Event>()

/**
 * Keeps the features of the visitor's session in this browser, by the reducer of the servers, from what the page
 * captures.
 */
export function countSession(api: PluginApi): () => void {
  const { delivery, listeners, log, recent, visitorIds } = api
  const { storage, now } = delivery
  const { on } = listeners
  const visitor = () => visitorIds.all().anonymousId
  const tab = createTab(delivery.newId, () => api.consent().analytics === 'granted' && !api.settings.cookieless)
  const storedPrefix = `slotstream.${delivery.keyPrefix}`
  const shares = createShares(storage, storedPrefix, tab)
  const definitions = createDefinitions(storage, () => askFor(api), now, log)
  const counter = createCounter({ shares, definitions, now, log, onChange: tellSoon })
  let announced = '{}'
  let isTelling = false

  function tell() {
    isTelling = false
    const values = sessionFeatures()
    const text = JSON.stringify(values)
    if (text === announced) return
    announced = text
    window.dispatchEvent(new CustomEvent(CHANGED, { detail: values }))
  }
  function tellSoon() {
    if (isTelling) return
    isTelling = true
    queueMicrotask(tell)
  }
  const count = (event: Event) => {
    if (counted.has(event)) return
    counted.add(event)
    const text = jsonOf((event as CustomEvent).detail)
    // As the collector reads it.
    counter.add(JSON.parse(markIntegers(text) ?? text) as StoredMessage)
  }

  readFrom(() => counter.values(visitor()))
  counter.prune(visitor())
  // As values, because the list has gaps after it was emptied.
  const before = Object.values(recent)
  // With so many, earlier ones may be forgotten, unless this went on counting.
  const isIncomplete = before.length >= REMEMBERED && !before.some(event => counted.has(event))
  for (const event of before) if (event.type === 'slotstream:captured') count(event)
  if (isIncomplete) counter.giveUp()
  counter.settle()
  tellSoon()

  on(window, 'slotstream:captured', count)
  on(window, 'slotstream:visitor', () => {
    shares.forget()
    tellSoon()
  })
  on(window, 'storage', event => {
    const { key } = event as StorageEvent
    if (key?.startsWith(storedPrefix) === false) return
    counter.settle()
    tellSoon()
  })
  on(window, 'online', () => {
    definitions.retry()
    counter.settle()
  })
  on(window, 'pagehide', tab.handOver)
  on(window, 'pageshow', event => {
    if (!(event as PageTransitionEvent).persisted) return
    tab.takeAgain()
    shares.reread()
    tellSoon()
  })
  return () => {
    tab.handOver()
    readFrom(undefined)
    tellSoon()
  }
}

/** Asks the collector for the definitions that it has for browsers. */
async function askFor({ settings, listeners }: PluginApi): Promise<string> {
  const abort = new AbortController()
  const end = () => abort.abort()
  const timer = setTimeout(end, TIMEOUT_MS)
  listeners.signal.addEventListener('abort', end)
  try {
    const { endpoint, writeKey } = settings
    const response = await fetch(`${endpoint}/v1/features?writeKey=${encodeURIComponent(writeKey)}`, {
      credentials: 'omit',
      signal: abort.signal,
    })
    const text = await response.text()
    if (!response.ok) throw new Error(text)
    return text
  } finally {
    clearTimeout(timer)
    listeners.signal.removeEventListener('abort', end)
  }
}

import type { Client } from './client.js'
import type { Consent, ConsentState } from './consent.js'
import type { EventName, PropertiesOf } from './events.js'
import { type Middleware, middleware } from './middleware.js'
import type { Options } from './options.js'
import type { LoadPart } from './part-names.js'
import { guard } from './platform/guard.js'
import { noDecision } from './slots/no-decision.js'
import { createPersonalize } from './slots/personalize.js'
import { type Running, start } from './start.js'
import type { PersonalizeOptions, Properties, SlotDecision } from './types.js'

/** Calls before `init` that are kept; those beyond it are lost. */
const MAX_EARLY = 1_000

/** Deadline of `personalize` where no option says otherwise, in milliseconds. */
const SLOT_TIMEOUT_MS = 300

let running: Running | undefined
let early: ((client: Client) => void)[] = []

const inBrowser = () => typeof window !== 'undefined' && typeof document !== 'undefined'

/** Runs a call now, or after `init`. On a server: never. */
function run(call: (client: Client) => void): void {
  const client = running?.client()
  if (client) client.try(() => call(client))
  else if (inBrowser() && early.length < MAX_EARLY) early.push(call)
}

/** `init` with the parts that `load` finds. */
export function begin(options: Options, load: LoadPart): void {
  if (running || !inBrowser()) return
  if (!options?.writeKey) {
    console.error('[slotstream] init needs a writeKey: init({ writeKey: "…" })')
    return
  }
  running = guard(console.error, () => start(options, load))
  const calls = early
  early = []
  if (running) for (const call of calls) run(call)
}

/**
 * Tracks that something happened, e.g. `track('Product Viewed', { product_id: '17', category: 'Shoes' })`. Declaring
 * `Events` narrows what it takes.
 */
export function track<E extends EventName>(event: E, ...[properties]: PropertiesOf<E>): void {
  const at = Date.now()
  if (event) run(client => client.track(String(event), properties, at))
}

/** Begins a page view. Only needed with `autoPage: false`, or for views that don't change the path. */
export function page(name?: string, properties?: Properties): void {
  const at = Date.now()
  run(client => client.page(name, properties, at))
}

/** Says who the visitor is. The id stays with this browser until `reset`. */
export function identify(userId: string, traits?: Properties): void {
  const at = Date.now()
  if (userId) run(client => client.identify(String(userId), traits, at))
}

/** Says which group, e.g. company, the visitor belongs to. */
export function group(groupId: string, traits?: Properties): void {
  const at = Date.now()
  if (groupId) run(client => client.capture({ type: 'group', groupId: String(groupId), traits: traits ?? {}, at }))
}

/** Says that `userId` is the new id of who was known by the current one. Follow it with `identify(userId)`. */
export function alias(userId: string): void {
  const at = Date.now()
  if (userId) run(client => client.alias(String(userId), at))
}

/** Forgets the visitor, for a log-out: what follows belongs to a new visitor in a new session. */
export function reset(): void {
  run(client => client.reset())
}

/**
 * Takes note of what the visitor agreed to, for both purposes or for each, and remembers it in this browser. Returns what
 * holds now; undefined before `init`, after which the choice is applied.
 *
 * `granted` sends what was kept while `pending`, with its own times and the same visitor. `denied` deletes the queue and
 * the visitor's ids and stops; granted again, the visitor is a new one.
 */
export function consent(choice?: ConsentState | Partial<Consent>): Consent | undefined {
  if (!running && choice) run(() => running?.consent(choice))
  return running && guard(console.error, () => running?.consent(choice))
}

/** Sets properties of every `track` and `page` that follows on this page; `undefined` takes one away. */
export function setProperties(properties: Properties): void {
  run(({ settings }) => {
    settings.properties = { ...settings.properties, ...properties }
  })
}

/**
 * Lets a function see every message before it is stored, also before `init`. Returns what takes it away again. What it
 * throws is reported and changes nothing.
 */
export function addMiddleware(change: Middleware): () => void {
  if (inBrowser()) middleware.push(change)
  return () => {
    const index = middleware.indexOf(change)
    if (index >= 0) middleware.splice(index, 1)
  }
}

/**
 * Asks what to show in a slot. Everything tracked on this page before counts in the answer.
 *
 * Never rejects. Without an answer by the deadline it resolves with the outcome `timeout`, without a collector or without
 * consent with `unavailable`, and no items: show the page's own content then.
 */
export function personalize(slotId: string, options: PersonalizeOptions = {}): Promise<SlotDecision> {
  if (!inBrowser()) return Promise.resolve(noDecision(slotId, 'unavailable'))
  return new Promise(resolve => {
    if (!running) setTimeout(() => resolve(noDecision(slotId, 'timeout')), options.timeout ?? SLOT_TIMEOUT_MS)
    run(client => resolve(client.personalizer(createPersonalize)(slotId, options)))
  })
}

/** Sends what waits. Resolves when all of it was tried; what failed is kept and tried again later. */
export async function flush(): Promise<void> {
  await running?.client().flush()
}

/** Ends the package on this page: sends what it still holds, and leaves no listener and no timer. `init` may follow. */
export function destroy(): void {
  guard(console.error, () => running?.destroy())
  running = undefined
  early = []
  middleware.length = 0
}

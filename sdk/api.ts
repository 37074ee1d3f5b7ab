import type { Client } from './client.js'
import type { Options } from './options.js'
import { guard } from './platform/guard.js'
import { noDecision } from './slots/personalize.js'
import { start } from './start.js'
import type { PersonalizeOptions, Properties, SlotDecision } from './types.js'

/** Calls before `init` that are kept; those beyond it are lost. */
const MAX_EARLY = 1_000

/** Deadline of `personalize` where no option says otherwise, in milliseconds. */
const SLOT_TIMEOUT_MS = 300

let client: Client | undefined
let early: ((client: Client) => void)[] = []

const inBrowser = () => typeof window !== 'undefined' && typeof document !== 'undefined'
const quiet = () => {}

/** Runs a call now, or after `init`. On a server: never. */
function run(call: (client: Client) => void): void {
  const { log = quiet } = client ?? {}
  if (client) guard(log, () => call(client as Client))
  else if (inBrowser() && early.length < MAX_EARLY) early.push(call)
}

/**
 * Starts the package on this page. Calls made before are carried out now, with their own times. A second call does
 * nothing until `destroy`. On a server it does nothing.
 */
export function init(options: Options): void {
  if (client || !inBrowser()) return
  if (!options?.writeKey) {
    console.error('[slotstream] init needs a writeKey: init({ writeKey: "…" })')
    return
  }
  client = guard(console.error, () => start(options))
  const calls = early
  early = []
  if (client) for (const call of calls) run(call)
}

/** Tracks that something happened, e.g. `track('Product Viewed', { product_id: '17', category: 'Shoes' })`. */
export function track(event: string, properties?: Properties): void {
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
 * Asks what to show in a slot. Everything tracked on this page before counts in the answer.
 *
 * Never rejects. Without an answer by the deadline it resolves with the outcome `timeout`, without a collector with
 * `unavailable`, and no items: show the page's own content then.
 */
export function personalize(slotId: string, options: PersonalizeOptions = {}): Promise<SlotDecision> {
  if (!inBrowser()) return Promise.resolve(noDecision(slotId, 'unavailable'))
  return new Promise(resolve => {
    if (!client) setTimeout(() => resolve(noDecision(slotId, 'timeout')), options.timeout ?? SLOT_TIMEOUT_MS)
    run(client => resolve(client.personalize(slotId, options)))
  })
}

/** Sends what waits. Resolves when all of it was tried; what failed is kept and tried again later. */
export async function flush(): Promise<void> {
  await client?.flush()
}

/** Ends the package on this page: sends what it still holds, and leaves no listener and no timer. `init` may follow. */
export function destroy(): void {
  run(client => client.destroy())
  client = undefined
  early = []
}

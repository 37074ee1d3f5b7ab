import { dropCookie, idText } from '../capture/identity.js'
import { emit } from '../platform/emit.js'
import { guard } from '../platform/guard.js'
import { inBrowser } from '../platform/in-browser.js'
import { handedOver } from '../slots/handed-over.js'
import type { IdentifyOptions, Middleware, Properties, SlotDecision } from '../types.js'
import { end, run, running, timed } from './calls.js'
import type { Client } from './client.js'
import { type Consent, type ConsentChoice, initialConsent, remember } from './consent.js'
import type { EventName, PropertiesOf } from './event-names.js'
import { middleware, rewriting, throughMiddleware } from './middleware.js'

/**
 * Tracks that something happened, e.g. `track('Product Viewed', { product_id: '17', category: 'Shoes' })`. Declaring
 * `Events` narrows what it takes.
 */
export function track<E extends EventName>(event: E, ...[properties]: PropertiesOf<E>): void {
  if (event) timed((client, at) => client.track(String(event), properties as Properties | undefined, at))
}

/** Begins a page view. Only needed with `autoPage: false`, or for views that don't change the path. */
export function page(name?: string, properties?: Properties): void {
  timed((client, at) => client.page(name, properties, at))
}

/**
 * Identifies the visitor. The id stays with this browser until `reset`, and the signature with it: until then, or until
 * another `identify` without one. Another person than before is a new visitor, as after `reset`.
 */
export function identify(userId: string, traits?: Properties, options?: IdentifyOptions): void {
  withId(userId, (client, id, at) => {
    const { visitorIds, capture } = client
    if (visitorIds.isOther(id)) forget(client)
    visitorIds.identify(id, options?.signature)
    capture({ type: 'identify', userId: id, traits: traits ?? {}, at })
  })
}

/** Adds the visitor to a group, e.g. a company. */
export function group(groupId: string, traits?: Properties): void {
  withId(groupId, ({ capture }, id, at) => capture({ type: 'group', groupId: id, traits: traits ?? {}, at }))
}

/** Declares `userId` the new id of the visitor known by the current one. Follow it with `identify(userId)`. */
export function alias(userId: string): void {
  withId(userId, ({ visitorIds, capture }, id, at) => {
    const { anonymousId, userId: previousId = anonymousId } = visitorIds.all()
    capture({ type: 'alias', userId: id, previousId, at })
    visitorIds.rename(id)
  })
}

/** Runs a call with an id, if it is one. */
function withId(value: unknown, call: (client: Client, id: string, at: number) => void): void {
  if (value)
    timed((client, at) => {
      const id = idText(value)
      if (id) call(client, id, at)
    })
}

/** Forgets the visitor, for a log-out: what follows belongs to a new visitor in a new session. */
export function reset(): void {
  run(forget)
}

function forget({ visitorIds, sessions, settings, initialProperties, startPageView }: Client): void {
  visitorIds.reset()
  if (settings.idCookie) dropCookie()
  sessions.reset()
  // Properties that the page set for the person, and the page view that would join them to the next one.
  settings.properties = initialProperties
  startPageView()
}

/**
 * Takes note of what the visitor agreed to, for both purposes or for each, and remembers it in this browser. Returns
 * what is in effect now; undefined before `init`, after which the choice is applied.
 *
 * `granted` sends what waited while `pending`, with its own times and the same visitor. `denied` deletes the queue and
 * the visitor's ids and stops; granted again, the visitor is a new one.
 */
export function consent(choice?: ConsentChoice): Consent | undefined {
  const choose = () => {
    const it = running()
    if (!it || choice === undefined) return it?.consent()
    const next = initialConsent(typeof choice === 'object' ? { ...it.consent(), ...choice } : choice)
    it.choose(next, remember(next))
    return it.consent()
  }
  if (!running() && choice !== undefined) run(choose)
  return guard(console.error, choose)
}

/** Sets properties of every `track` and `page` that follows on this page; `undefined` takes one away. */
export function setProperties(properties: Properties): void {
  run(({ settings }) => {
    settings.properties = { ...settings.properties, ...properties }
  })
}

/**
 * Lets a function see every message before it is stored, also before `init`. Returns a function that removes it. An
 * error it throws is reported and changes nothing.
 */
export function addMiddleware(change: Middleware): () => void {
  rewriting.rewrite = throughMiddleware
  if (inBrowser()) middleware.push(change)
  return () => {
    const index = middleware.indexOf(change)
    if (index >= 0) middleware.splice(index, 1)
  }
}

/**
 * Hands over decisions that a server asked for while it rendered the page, as `/v1/slots` answered them. The next
 * `personalize` of their slots, and `data-slot` elements, take them instead of asking. May come before `init`.
 */
export function hydrate(decisions: SlotDecision | readonly SlotDecision[]): void {
  if (!inBrowser()) return
  // Where none was made the page asks.
  for (const decision of [decisions].flat()) if (decision?.decisionId) handedOver.set(decision.slotId, decision)
}

/**
 * Asks anew for the content of `data-slot` elements and of `useSlot`: of one slot, or of all. What they show stays
 * until the answer is there.
 */
export function refresh(slotId?: string): void {
  run(() => emit('refresh', slotId))
}

/** Sends what waits. Resolves when all of it was tried; what failed is kept and tried again later. */
export async function flush(): Promise<void> {
  const client = running()?.client()
  client?.settle()
  const sender = await client?.delivery.sending()
  await sender?.flush()
}

/** Ends the package on this page: sends what is left, and leaves no listener and no timer. `init` may follow. */
export function destroy(): void {
  end()
}

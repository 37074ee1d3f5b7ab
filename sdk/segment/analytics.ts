import { alias, group, identify, page, reset, track } from '../client/api.js'
import { running, timed } from '../client/calls.js'
import { guard } from '../platform/guard.js'
import { nextTask } from '../platform/next-task.js'
import type { Properties } from '../types.js'
import { argumentsOf, type CallArguments } from './arguments.js'

type Listener = (...details: unknown[]) => void
type Named = (parsed: CallArguments) => void

/** Calls that become messages, by their names at Segment. */
const MESSAGES: Record<string, Named> = {
  track: ({ names: [event], data }) => event && track(event as string, data),
  page: ({ names, data }) => {
    const name = names.at(-1)
    const category = names.length > 1 ? { category: names[0]! } : {}
    page(name === undefined ? name : String(name), { ...category, ...data })
  },
  identify: ({ names: [userId], data }) => {
    // As it was given: that a number is rounded already is told by the number alone.
    if (userId) identify(userId as string, data)
    else timed(({ capture }, at) => capture({ type: 'identify', traits: data ?? {}, at }))
  },
  group: ({ names: [groupId], data }) => groupId && group(groupId as string, data),
  alias: ({ names: [userId] }) => userId && alias(userId as string),
}

/** Calls that do something else here, or nothing: see `addMiddleware` and `linkedId`. */
const MISSING = [
  ...['screen', 'setAnonymousId', 'register'],
  ...['addSourceMiddleware', 'addIntegrationMiddleware', 'addDestinationMiddleware'],
]

const warnOf = (name: unknown) => console.warn(`[slotstream] analytics.${name} has no counterpart here`)

/** Makes what listens to calls: `analytics.on('track', …)`. */
function createListening() {
  const listeners = new Map<string, Set<Listener>>()
  const on = (event: string, listener: Listener) => {
    listeners.set(event, (listeners.get(event) ?? new Set()).add(listener))
  }
  const off = (event: string, listener: Listener) => void listeners.get(event)?.delete(listener)
  const once = (event: string, listener: Listener) => {
    const first: Listener = (...details) => {
      off(event, first)
      listener(...details)
    }
    on(event, first)
  }
  const tell = (event: string, ...details: unknown[]) => {
    for (const listener of listeners.get(event) ?? []) guard(console.error, () => listener(...details))
  }
  return { on, once, off, tell }
}

/**
 * Makes what pages call as `window.analytics`: Segment's library, by this package. What it has no counterpart of warns.
 */
export function createAnalytics(debug: () => unknown) {
  const { on, once, off, tell } = createListening()
  const visitor = () => running()?.client().visitorIds
  let traits: Properties = {}

  /** Returns a promise, as Segment's library does: pages wait for it. */
  function call(name: string, args: readonly unknown[]): Promise<void> {
    const parsed = argumentsOf(args)
    MESSAGES[name]!(parsed)
    if (name === 'identify') traits = { ...traits, ...parsed.data }
    tell(name, ...parsed.names, parsed.data)
    if (parsed.done) setTimeout(parsed.done)
    return Promise.resolve()
  }

  /** `trackLink` and the like: messages outlive their page here, so nothing has to wait for them. */
  const onEvent = (type: string) => (elements: unknown, event: unknown, data?: unknown) => {
    for (const element of [elements].flatMap(target =>
      target instanceof EventTarget ? target : Array.from((target ?? []) as never),
    ))
      (element as EventTarget).addEventListener(type, () => {
        const read = (value: unknown) => (typeof value === 'function' ? value(element) : value)
        call('track', [read(event), read(data)])
      })
  }

  const analytics: Record<string, unknown> = {
    initialized: true,
    invoked: true,
    initialize() {},
    load() {},
    debug,
    ready: (then?: () => void) => nextTask().then(then),
    reset() {
      traits = {}
      reset()
    },
    user: () => ({
      id: () => visitor()?.all().userId ?? null,
      anonymousId: () => visitor()?.all().anonymousId ?? null,
      traits: () => traits,
    }),
    on,
    once,
    off,
    trackLink: onEvent('click'),
    trackClick: onEvent('click'),
    trackForm: onEvent('submit'),
    trackSubmit: onEvent('submit'),
    push: (queued: unknown) => void replay(queued),
  }
  analytics.pageview = (path: string) => call('page', [path])
  for (const name of Object.keys(MESSAGES)) analytics[name] = (...args: unknown[]) => call(name, args)
  for (const name of MISSING) analytics[name] = () => warnOf(name)

  /** Makes a call that was queued as `[name, …arguments]` before the library was there. */
  function replay(queued: unknown): void {
    if (!Array.isArray(queued)) return
    const [name, ...args] = queued
    const method = Object.hasOwn(analytics, name) ? analytics[name] : undefined
    if (typeof method === 'function') guard(console.error, () => method(...args))
    else warnOf(name)
  }

  return { analytics, replay }
}

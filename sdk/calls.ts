import type { Client } from './client.js'
import { middleware } from './middleware.js'
import type { Options } from './options.js'
import type { LoadPart } from './part-names.js'
import { recent } from './platform/emit.js'
import { guard } from './platform/guard.js'
import { createListeners } from './platform/listeners.js'
import { type Running, start } from './start.js'

/** Calls before `init` that are kept; those beyond it are lost. */
const MAX_EARLY = 1_000

let started: Running | undefined
/** Between `init` and the task after it. */
let starting: (() => void) | undefined
let early: ((client: Client) => void)[] = []

export const inBrowser = () => typeof window !== 'undefined' && typeof document !== 'undefined'

/** The package at work on this page, between `init` and `destroy`. */
export function running(): Running | undefined {
  starting?.()
  return started
}

/** Runs a call now, or after `init`. On a server: never. */
export function run(call: (client: Client) => void): void {
  const client = running()?.client()
  if (client) client.try(() => call(client))
  else if (inBrowser() && early.length < MAX_EARLY) early.push(call)
}

/** The same with the time of the call, which may be long before `init`. */
export function timed(call: (client: Client, at: number) => void): void {
  const at = Date.now()
  run(client => call(client, at))
}

/**
 * `init` with the parts that `load` finds. The page's own task goes on first; what is called in it, and the end of the page,
 * bring the start forward.
 */
export function begin(options: Options, load: LoadPart): void {
  if (started || starting || !inBrowser()) return
  if (!options?.writeKey) {
    console.error('[slotstream] init needs a writeKey')
    return
  }
  const { on, off } = createListeners(console.error)
  starting = () => {
    starting = undefined
    off()
    started = guard(console.error, () => start(options, load))
    const calls = early
    early = []
    if (started) for (const call of calls) run(call)
  }
  on(window, 'pagehide', () => run(({ delivery }) => delivery.hide()))
  setTimeout(running)
}

/** Ends what `begin` began. */
export function end(): void {
  guard(console.error, () => running()?.destroy())
  started = undefined
  early = []
  middleware.length = recent.length = 0
}

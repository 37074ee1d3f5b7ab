import { recent } from '../platform/emit.js'
import { guard } from '../platform/guard.js'
import { createListeners } from '../platform/listeners.js'
import type { Load } from '../plugins/loadable.js'
import type { Client } from './client.js'
import { middleware } from './middleware.js'
import type { Options } from './options.js'
import { type Running, start } from './start.js'

/** Calls before `init` that are kept; those beyond it are lost. */
const MAX_EARLY = 1_000

let started: Running | undefined
/** Between `init` and the task after it. */
let starting: (() => void) | undefined
/** The start that waits for what reads the id in the page's address; calls are kept until then. */
let held: (() => void) | undefined
let early: ((client: Client) => void)[] = []

export const inBrowser = () => typeof window !== 'undefined' && typeof document !== 'undefined'

/** The package at work on this page, between `init` and `destroy`. */
export function running(): Running | undefined {
  if (starting !== held) starting?.()
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
export function begin(options: Options, load: Load): void {
  if (started || starting || !inBrowser()) return
  if (!options?.writeKey) {
    console.error('[slotstream] init needs a writeKey')
    return
  }
  const { on, off } = createListeners(console.error)
  let linked: string | undefined
  const begun = () => {
    starting = undefined
    off()
    started = guard(console.error, () => start(options, load, linked))
    const calls = early
    early = []
    if (started) for (const call of calls) run(call)
  }
  starting = begun
  on(window, 'pagehide', () => {
    held = undefined
    run(({ delivery }) => delivery.hide())
  })
  const readLinked = async () => {
    held = begun
    const read = await load('linkedId')
    linked = read(options)
  }
  const release = () => {
    if (held === begun) held = undefined
    running()
  }
  if (options.linkedId && location.search.includes('slotstream_id=')) readLinked().catch(console.error).finally(release)
  else setTimeout(running)
}

/** Ends what `begin` began. */
export function end(): void {
  held = undefined
  guard(console.error, () => running()?.destroy())
  started = undefined
  early = []
  middleware.length = recent.length = 0
}

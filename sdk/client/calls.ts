import { recent } from '../platform/emit.js'
import { guard } from '../platform/guard.js'
import { inBrowser } from '../platform/in-browser.js'
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
/** The start that waits until the id in the page's URL is read; calls are kept until then. */
let awaitingLink: (() => void) | undefined
let early: ((client: Client) => void)[] = []

/** Returns the package at work on this page, between `init` and `destroy`. */
export function running(): Running | undefined {
  if (starting !== awaitingLink) starting?.()
  return started
}

/** Runs a call now, or after `init`. On a server: never. */
export function run(call: (client: Client) => void): void {
  const client = running()?.client()
  if (client) client.try(() => call(client))
  else if (inBrowser() && early.length < MAX_EARLY) early.push(call)
}

/** Runs a call now, or after `init`, with the time of the call, which may be long before that. */
export function timed(call: (client: Client, at: number) => void): void {
  const at = Date.now()
  run(client => call(client, at))
}

/**
 * Begins the package with the plugins that `load` finds, for `init`. The page's own task goes on first; what is called
 * in it, and the end of the page, bring the start forward.
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
    awaitingLink = undefined
    run(({ delivery }) => delivery.hide())
  })
  const readLinked = async () => {
    awaitingLink = begun
    const read = await load('linkedId')
    linked = read(options)
  }
  const release = () => {
    if (awaitingLink === begun) awaitingLink = undefined
    running()
  }
  if (options.linkedId && location.search.includes('slotstream_id=')) readLinked().catch(console.error).finally(release)
  else setTimeout(running)
}

/** Ends what `begin` began. */
export function end(): void {
  awaitingLink = undefined
  guard(console.error, () => running()?.destroy())
  started = undefined
  early = []
  middleware.length = recent.length = 0
}

import type { Client } from './client.js'
import { middleware } from './middleware.js'
import type { Options } from './options.js'
import type { LoadPart } from './part-names.js'
import { recent } from './platform/emit.js'
import { guard } from './platform/guard.js'
import { type Running, start } from './start.js'

/** Calls before `init` that are kept; those beyond it are lost. */
const MAX_EARLY = 1_000

/** The package at work on this page, between `init` and `destroy`. */
export let running: Running | undefined
let early: ((client: Client) => void)[] = []

export const inBrowser = () => typeof window !== 'undefined' && typeof document !== 'undefined'

/** Runs a call now, or after `init`. On a server: never. */
export function run(call: (client: Client) => void): void {
  const client = running?.client()
  if (client) client.try(() => call(client))
  else if (inBrowser() && early.length < MAX_EARLY) early.push(call)
}

/** The same with the time of the call, which may be long before `init`. */
export function timed(call: (client: Client, at: number) => void): void {
  const at = Date.now()
  run(client => call(client, at))
}

/** `init` with the parts that `load` finds. */
export function begin(options: Options, load: LoadPart): void {
  if (running || !inBrowser()) return
  if (!options?.writeKey) {
    console.error('[slotstream] init needs a writeKey')
    return
  }
  running = guard(console.error, () => start(options, load))
  const calls = early
  early = []
  if (running) for (const call of calls) run(call)
}

/** Ends what `begin` began. */
export function end(): void {
  guard(console.error, () => running?.destroy())
  running = undefined
  early = []
  middleware.length = recent.length = 0
}

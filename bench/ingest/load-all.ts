import { SITE } from '../support/servers/system.js'
import { BATCH_SIZE } from './bodies.js'
import { runLoad } from './run-load.js'

/** Keep-alive connections of all load generators together. */
export const CONNECTIONS = 32

/** Load that servers took in together. */
export interface Taken {
  events: number
  eventsPerSecond: number
  /** Of the server whose is the longest, in milliseconds. */
  p99: number
}

/**
 * Loads servers side by side, each by a generator of its own, which share the connections.
 *
 * @param run distinguishes the ids of several runs
 * @throws when a request fails
 */
export async function loadAll(urls: readonly string[], seconds: number, run: string): Promise<Taken> {
  const connections = CONNECTIONS / urls.length
  const results = await Promise.all(
    urls.map((url, index) => runLoad({ url, writeKey: SITE, connections, seconds, run: `${run}-${index}` })),
  )
  const sum = (pick: (result: (typeof results)[number]) => number) =>
    results.reduce((total, result) => total + pick(result), 0)
  const failures = sum(result => result.failures)
  if (failures > 0) throw new Error(`${failures} requests to ${urls.join(' and ')} failed`)
  return {
    events: sum(({ batches }) => batches * BATCH_SIZE),
    eventsPerSecond: sum(result => (result.batches * BATCH_SIZE) / result.seconds),
    p99: Math.max(...results.map(({ p99 }) => p99)),
  }
}

import type { System } from '../support/servers/system.js'

/** Metrics of collector and aggregator that say where time goes, as they stand. */
export type Used = Map<string, number>

const WANTED = [
  'process_cpu_seconds_total',
  'nodejs_gc_duration_seconds_sum',
  'slotstream_decisions_seconds_sum',
  'slotstream_decisions_seconds_count',
  'slotstream_decisions_unrecorded_total',
]
const AS_THEY_STAND = ['nodejs_eventloop_lag_p99_seconds', 'nodejs_eventloop_lag_max_seconds']

/** Reads the metrics of both processes. */
export async function usedSoFar({ collectorUrl, aggregatorUrl }: System): Promise<Used> {
  const used: Used = new Map()
  for (const [name, url] of [
    ['collector', collectorUrl],
    ['aggregator', aggregatorUrl],
  ] as const) {
    const text = await (await fetch(`${url}/metrics`)).text()
    for (const line of text.split('\n')) {
      const [, metric = '', value] = /^(\w+)(?:{[^}]*})? (\S+)$/.exec(line) ?? []
      if (!WANTED.includes(metric) && !AS_THEY_STAND.includes(metric)) continue
      const key = `${name}: ${metric}`
      used.set(key, (used.get(key) ?? 0) + Number(value))
    }
  }
  return used
}

/** Returns rows of what was used between two readings, over so many seconds and requests. */
export function usedBetween(before: Used, after: Used, seconds: number, requests: number): string[][] {
  return [...after].map(([key, value]) => {
    if (AS_THEY_STAND.some(metric => key.endsWith(metric))) return [key, `${(value * 1_000).toFixed(1)} ms`]
    const difference = value - (before.get(key) ?? 0)
    if (key.endsWith('_seconds_total')) return [key, `${(difference / seconds).toFixed(2)} of a core`]
    if (!key.endsWith('_sum')) return [key, difference.toFixed(0)]
    const each = ((difference / requests) * 1_000).toFixed(2)
    return [key, `${((100 * difference) / seconds).toFixed(1)} % of the time, ${each} ms a request`]
  })
}

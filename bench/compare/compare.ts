import { resolve } from 'node:path'
import { loadAll } from '../ingest/load-all.js'
import type { BenchOptions } from '../options.js'
import { makeVisitors, slotRequest } from '../support/known-visitors.js'
import { machineClock, openLoop } from '../support/open-loop.js'
import { percentile } from '../support/percentile.js'
import { createPoster, type Poster } from '../support/poster.js'
import { SITE, type System, startSystem, untilStored } from '../support/servers/system.js'
import { WITHOUT_LIMITS } from '../support/servers/without-limits.js'
import { SHOP } from '../support/shop.js'
import { markdownTable } from '../support/table.js'

const ROUNDS = 7
const ROUND_SECONDS = 4
const VISITORS = 1_000
const REQUESTS_PER_SECOND = 200
/** Between two measurements, so that one isn't measured in the wake of the other. */
const REST_MS = 2_000

/** The product of one checkout, running. */
interface Side {
  system: System
  poster: Poster
  /** Events that it acknowledged. */
  events: number
}

/** Measurements of one side in one round. */
interface Measured {
  eventsPerSecond: number
  slotsP50: number
  slotsP99: number
}

/**
 * Measures this checkout against another built one, `--before PATH`: events a second that the whole system
 * acknowledges, and how long slots take, each in rounds that take turns, so that whatever else the machine does meets
 * both alike.
 */
export async function benchCompare({ before }: BenchOptions): Promise<string> {
  if (before === '') return '## Compare: left out, because `--before PATH` names no built checkout to compare with'
  const sides = await Promise.all([startSide(resolve(before)), startSide()])
  try {
    const [old, current] = sides as [Side, Side]
    for (const side of sides) await measure(side)
    const rounds: { before: Measured; after: Measured }[] = []
    for (let round = 0; round < ROUNDS; round++)
      // Who begins changes, so that neither is always measured in the wake of the other.
      if (round % 2 === 0) rounds.push({ before: await measure(old), after: await measure(current) })
      else {
        const after = await measure(current)
        rounds.push({ before: await measure(old), after })
      }
    return report(rounds)
  } finally {
    await Promise.all(sides.map(stopSide))
  }
}

async function startSide(root?: string): Promise<Side> {
  const system = await startSystem(WITHOUT_LIMITS, root)
  const side = { system, poster: createPoster(system.collectorUrl, SITE), events: VISITORS }
  await system.putCatalog(SHOP)
  await makeVisitors(side.poster, VISITORS)
  await untilStored(system, VISITORS)
  return side
}

async function stopSide({ system, poster }: Side): Promise<void> {
  poster.close()
  await system.stop()
}

async function measure(side: Side): Promise<Measured> {
  await machineClock.sleep(REST_MS)
  const latencies: number[] = []
  await openLoop({ perSecond: REQUESTS_PER_SECOND, seconds: ROUND_SECONDS }, async (n, intendedAt) => {
    await side.poster.post('/v1/slots', slotRequest(n, VISITORS))
    latencies.push(machineClock.now() - intendedAt)
  })
  const { events, eventsPerSecond } = await loadAll([side.system.collectorUrl], ROUND_SECONDS, Date.now().toString(36))
  side.events += events
  await untilStored(side.system, side.events)
  return { eventsPerSecond, slotsP50: percentile(latencies, 0.5), slotsP99: percentile(latencies, 0.99) }
}

function report(rounds: { before: Measured; after: Measured }[]): string {
  const row = (name: string, pick: (measured: Measured) => number, digits: number) => {
    const at = (p: number, values: number[]) => percentile(values, p)
    const ratios = rounds.map(({ before, after }) => pick(after) / pick(before))
    const median = (which: 'before' | 'after') =>
      at(
        0.5,
        rounds.map(round => pick(round[which])),
      ).toFixed(digits)
    return [
      name,
      median('before'),
      median('after'),
      at(0.5, ratios).toFixed(3),
      `${Math.min(...ratios).toFixed(3)}–${Math.max(...ratios).toFixed(3)}`,
    ]
  }
  const rows = [
    row('events/s of the whole system', measured => measured.eventsPerSecond, 0),
    row('slots, p50 ms', measured => measured.slotsP50, 2),
    row('slots, p99 ms', measured => measured.slotsP99, 1),
  ]
  return `## Compare: another checkout and this one, ${ROUNDS} rounds of ${ROUND_SECONDS} s each, in turns

${markdownTable(['', 'before', 'after', 'after ÷ before', 'all rounds'], rows)}`
}

import type { SlotsAnswer } from '@slotstream/protocol'
import { addressOf, makeVisitors, slotRequest } from '../support/known-visitors.js'
import { machineClock, openLoop } from '../support/open-loop.js'
import { percentile } from '../support/percentile.js'
import { createPoster, type Poster } from '../support/poster.js'
import { SITE, startSystem, untilStored } from '../support/servers/system.js'
import { SHOP } from '../support/shop.js'
import { markdownTable, milliseconds } from '../support/table.js'
import { type Flooder, startFlooder } from './start-flooder.js'

const REQUESTS_PER_SECOND = 100
const VISITORS = 1_000
const ROUNDS = 5
const ROUND_SECONDS = 6
/** Between two measurements, so that one isn't measured in the wake of the other. */
const REST_MS = 3_000
const FLOODED = 'flooded'

interface Measured {
  latencies: number[]
  /** Answers that were no choice in time. */
  missed: number
}

interface Round {
  alone: Measured
  /** While another installation on the same machine is flooded: what no isolation within one can be better than. */
  beside: Measured
  flooded: Measured
  answers: Map<number, number>
}

interface Result {
  name: string
  rounds: Round[]
}

/**
 * How long known visitors of a quiet site wait for a slot while another site of the same installation is flooded by its
 * public key, with the default limits, against the same without the flood right before, and against the same flood on a
 * second installation, which shares nothing with the measured one but the machine.
 */
export async function benchFlood(): Promise<string> {
  const system = await startSystem({})
  const second = await startSystem({})
  const poster = createPoster(system.collectorUrl, SITE)
  const flooder = startFlooder(system.collectorUrl, FLOODED)
  const otherFlooder = startFlooder(second.collectorUrl, FLOODED)
  try {
    await system.putCatalog(SHOP)
    await system.putSite(FLOODED)
    await second.putSite(FLOODED)
    await makeVisitors(poster, VISITORS)
    await untilStored(system, VISITORS)
    await ask(poster, ROUND_SECONDS)
    const results: Result[] = (await flooder.names()).map(name => ({ name, rounds: [] }))
    for (let round = 0; round < ROUNDS; round++)
      for (const { name, rounds } of results) rounds.push(await measure(poster, flooder, otherFlooder, name))
    return report(results)
  } finally {
    poster.close()
    flooder.stop()
    otherFlooder.stop()
    await system.stop()
    await second.stop()
  }
}

async function measure(poster: Poster, flooder: Flooder, otherFlooder: Flooder, name: string): Promise<Round> {
  await otherFlooder.prepare(name, ROUND_SECONDS)
  await flooder.prepare(name, ROUND_SECONDS)
  await machineClock.sleep(REST_MS)
  const alone = await ask(poster, ROUND_SECONDS)
  const [beside] = await Promise.all([ask(poster, ROUND_SECONDS), otherFlooder.send()])
  await machineClock.sleep(REST_MS)
  const [flooded, answers] = await Promise.all([ask(poster, ROUND_SECONDS), flooder.send()])
  return { alone, beside, flooded, answers }
}

async function ask(poster: Poster, seconds: number): Promise<Measured> {
  const latencies: number[] = []
  let missed = 0
  await openLoop({ perSecond: REQUESTS_PER_SECOND, seconds }, async (n, intendedAt) => {
    const { status, body } = await poster.post('/v1/slots', slotRequest(n, VISITORS), addressOf(n))
    latencies.push(machineClock.now() - intendedAt)
    if (status !== 200 || (body as SlotsAnswer).decisions[0]?.outcome !== 'served') missed++
  })
  return { latencies, missed }
}

function report(results: Result[]): string {
  const header = [
    'flood',
    'alone: p50 ms',
    'p99 ms',
    'flooded: p50 ms',
    'p99 ms',
    'p50 ÷',
    'p99 ÷',
    'beside it: p50 ÷',
    'p99 ÷',
    'missed',
    'answers',
  ]
  const rows = results.map(({ name, rounds }) => {
    const median = (of: (round: Round) => number) => percentile(rounds.map(of), 0.5)
    const at = (p: number, which: 'alone' | 'flooded') => median(round => percentile(round[which].latencies, p))
    const ratio = (p: number, which: 'beside' | 'flooded') =>
      median(round => percentile(round[which].latencies, p) / percentile(round.alone.latencies, p))
    const answers = new Map<number, number>()
    for (const round of rounds)
      for (const [status, count] of round.answers) answers.set(status, (answers.get(status) ?? 0) + count)
    return [
      name,
      milliseconds(at(0.5, 'alone')),
      milliseconds(at(0.99, 'alone')),
      milliseconds(at(0.5, 'flooded')),
      milliseconds(at(0.99, 'flooded')),
      ratio(0.5, 'flooded').toFixed(2),
      ratio(0.99, 'flooded').toFixed(2),
      ratio(0.5, 'beside').toFixed(2),
      ratio(0.99, 'beside').toFixed(2),
      String(rounds.reduce((sum, { flooded }) => sum + flooded.missed, 0)),
      [...answers].map(([status, count]) => `${count} × ${status}`).join(', ') || 'none',
    ]
  })
  return `## Flood: slots of a quiet site at ${REQUESTS_PER_SECOND} requests/s while another site is flooded

Medians of ${ROUNDS} rounds of ${ROUND_SECONDS} s each, alone, beside a second installation that is flooded, and flooded taking turns; the ratio is that to the same round alone (aim: 1.5).

${markdownTable(header, rows)}`
}

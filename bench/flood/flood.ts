import { readFile } from 'node:fs/promises'
import type { SlotsAnswer } from '@slotstream/protocol'
import { ArgumentError, type BenchOptions } from '../options.js'
import { addressOf, makeVisitors, slotRequest } from '../support/known-visitors.js'
import { machineClock, openLoop } from '../support/open-loop.js'
import { percentile } from '../support/percentile.js'
import { createPoster, type Poster } from '../support/poster.js'
import { processorSeconds } from '../support/servers/processor.js'
import { SITE, type System, startSystem, untilStored } from '../support/servers/system.js'
import { SHOP } from '../support/shop.js'
import { markdownTable, milliseconds } from '../support/table.js'
import { type Flooder, startFlooder } from './start-flooder.js'

const REQUESTS_PER_SECOND = 100
const VISITORS = 1_000
const ROUND_SECONDS = 6
/** Between two measurements, so that one isn't measured in the wake of the other. */
const REST_MS = 3_000
const FLOODED = 'flooded'

interface Measured {
  latencies: number[]
  /** Answers that were no choice in time. */
  missed: number
}

/** The quiet site alone, and right after it while something is flooded. */
interface Round {
  alone: Measured
  flooded: Measured
  answers: Map<number, number>
  /** Share of one core that each part of the installation took meanwhile, by its name. */
  used: Map<string, number>
}

/** Rounds by the name of the flood. */
type Rounds = Map<string, Round[]>

/**
 * Measures how long known visitors of a quiet site wait for a slot while another site of the same installation is
 * flooded by its public key, with the default limits, against the same without the flood right before. Afterwards the
 * same flood goes to a second installation, which shares nothing with the measured one but the machine: what no
 * isolation within one can be better than.
 */
export async function benchFlood({ flood, rounds }: BenchOptions): Promise<string> {
  const system = await startSystem({})
  const poster = createPoster(system.collectorUrl, SITE)
  try {
    await system.putCatalog(SHOP)
    await makeVisitors(poster, VISITORS)
    await untilStored(system, VISITORS)
    await ask(poster, ROUND_SECONDS)
    const within = await measureAll(poster, system, { flood, rounds })
    const second = await startSystem({})
    try {
      return report(within, await measureAll(poster, second, { flood, rounds }), rounds)
    } finally {
      await second.stop()
    }
  } finally {
    poster.close()
    await system.stop()
  }
}

/** Measures the quiet site beside the floods of an installation whose names contain `flood`. */
async function measureAll(
  poster: Poster,
  target: System,
  { flood, rounds }: Pick<BenchOptions, 'flood' | 'rounds'>,
): Promise<Rounds> {
  await target.putSite(FLOODED)
  const flooder = startFlooder(target.collectorUrl, FLOODED)
  try {
    const names = (await flooder.names()).filter(name => name.includes(flood))
    if (names.length === 0) throw new ArgumentError(`no flood is named like "${flood}"`)
    const measured: Rounds = new Map(names.map(name => [name, []]))
    for (let round = 0; round < rounds; round++)
      for (const [name, ofFlood] of measured) ofFlood.push(await measure(poster, target, flooder, name))
    return measured
  } finally {
    flooder.stop()
  }
}

async function measure(poster: Poster, target: System, flooder: Flooder, name: string): Promise<Round> {
  await flooder.prepare(name, ROUND_SECONDS)
  await machineClock.sleep(REST_MS)
  const alone = await ask(poster, ROUND_SECONDS)
  const before = await processorTimes(target)
  const [flooded, answers] = await Promise.all([ask(poster, ROUND_SECONDS), flooder.send()])
  const after = await processorTimes(target)
  const used = [...after].map(([part, at]): [string, number] => [part, (at - before.get(part)!) / ROUND_SECONDS])
  return { alone, flooded, answers, used: new Map(used) }
}

async function processorTimes({ pidFiles }: System): Promise<Map<string, number>> {
  const times = Object.entries(pidFiles).map(
    async ([part, file]): Promise<[string, number]> => [
      part,
      await processorSeconds(Number(await readFile(file, 'utf8'))),
    ],
  )
  return new Map(await Promise.all(times))
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

const HEADER = [
  'flood',
  'alone: p50 ms',
  'p99 ms',
  'flooded: p50 ms',
  'p99 ms',
  'p50 ÷',
  'p99 ÷',
  'second installation flooded: p50 ÷',
  'p99 ÷',
  'missed',
  'answers',
]

const median = (rounds: Round[], pick: (round: Round) => number) => percentile(rounds.map(pick), 0.5)
const ratio = (rounds: Round[], p: number) =>
  median(rounds, ({ alone, flooded }) => percentile(flooded.latencies, p) / percentile(alone.latencies, p)).toFixed(2)

function report(within: Rounds, second: Rounds, rounds: number): string {
  const rows = [...within].map(([name, measured]) => {
    const at = (p: number, which: 'alone' | 'flooded') =>
      milliseconds(median(measured, round => percentile(round[which].latencies, p)))
    const beside = second.get(name) ?? []
    return [
      name,
      at(0.5, 'alone'),
      at(0.99, 'alone'),
      at(0.5, 'flooded'),
      at(0.99, 'flooded'),
      ratio(measured, 0.5),
      ratio(measured, 0.99),
      ratio(beside, 0.5),
      ratio(beside, 0.99),
      String(measured.reduce((sum, { flooded }) => sum + flooded.missed, 0)),
      answersOf(measured),
    ]
  })
  return `## Flood: slots of a quiet site at ${REQUESTS_PER_SECOND} requests/s while another site is flooded

Medians of ${rounds} rounds of ${ROUND_SECONDS} s each, alone and flooded taking turns; the ratio is that of each round's pair (aim: 1.5). Afterwards the same beside a second installation that is flooded: what the machine alone costs.

${markdownTable(HEADER, rows)}

Shares of one core that the flooded installation's parts took:

${processorTable(within)}`
}

function processorTable(floods: Rounds): string {
  const parts = [...([...floods.values()][0]![0]?.used.keys() ?? [])]
  const rows = [...floods].map(([name, rounds]) => [
    name,
    ...parts.map(part => median(rounds, ({ used }) => used.get(part) ?? 0).toFixed(2)),
  ])
  return markdownTable(['flood', ...parts], rows)
}

/** Counts the flooder's answers by status. */
function answersOf(rounds: Round[]): string {
  const counts = new Map<number, number>()
  for (const { answers } of rounds)
    for (const [status, count] of answers) counts.set(status, (counts.get(status) ?? 0) + count)
  return [...counts].map(([status, count]) => `${count} × ${status}`).join(', ') || 'none'
}

import { startFrontDoor } from '../support/front-door.js'
import { percentile } from '../support/percentile.js'
import { startBareServer } from '../support/start-bare-server.js'
import { SITE, startSystem, untilStored } from '../support/system.js'
import { markdownTable, milliseconds, whole } from '../support/table.js'
import { BATCH_SIZE } from './bodies.js'
import { runLoad } from './run-load.js'

const CONNECTIONS = 32
const WARM_UP_SECONDS = 2
const ROUND_SECONDS = 3
/** Many short rounds: what else a shared machine does comes and goes, and should meet both sides alike. */
const ALONE_ROUNDS = 24
const WHOLE_ROUNDS = 6

/** Some server that takes batches. */
interface Side {
  url: string
  /** Called before each round. */
  ready?: () => Promise<unknown>
  /** Told what a round had acknowledged. */
  took?: (events: number) => void
}

interface Measured {
  eventsPerSecond: number
  p99: number
}

interface Round {
  bare: Measured
  ours: Measured
}

/**
 * Events per second that are acknowledged, which the collector does when JetStream has stored them, against a bare
 * server that parses the same bodies and answers 204, in turns: first with nothing behind the collector and its
 * nats-server, then the whole system on the same cores, profiles and warehouse included.
 */
export async function benchIngest(): Promise<string> {
  const bare = await startBareServer()
  try {
    const alone = await besideFrontDoor(bare.url)
    const { rounds, acknowledged, stored } = await besideSystem(bare.url)
    return `## Ingest: ${BATCH_SIZE} events a batch, ${CONNECTIONS} connections, rounds of ${ROUND_SECONDS} s

${table({ 'collector and NATS alone': alone, 'the whole system': rounds })}

The whole system acknowledged ${whole(acknowledged)} events, in ClickHouse afterwards ${whole(stored)}.`
  } finally {
    bare.stop()
  }
}

async function besideFrontDoor(bare: string): Promise<Round[]> {
  const frontDoor = await startFrontDoor(SITE)
  try {
    return await inTurns(ALONE_ROUNDS, { url: bare }, { url: frontDoor.collectorUrl })
  } finally {
    await frontDoor.stop()
  }
}

/** The next round waits until the warehouse has caught up. */
async function besideSystem(bare: string) {
  const system = await startSystem()
  let acknowledged = 0
  const untilAllStored = () => untilStored(system, acknowledged)
  const took = (events: number) => {
    acknowledged += events
  }
  try {
    const ours = { url: system.collectorUrl, ready: untilAllStored, took }
    const rounds = await inTurns(WHOLE_ROUNDS, { url: bare, ready: untilAllStored }, ours)
    return { rounds, acknowledged, stored: await untilAllStored() }
  } finally {
    await system.stop()
  }
}

async function inTurns(count: number, bare: Side, ours: Side): Promise<Round[]> {
  for (const side of [bare, ours]) await measure(side, 'warm', WARM_UP_SECONDS)
  const rounds: Round[] = []
  for (let round = 1; round <= count; round++)
    rounds.push({ bare: await measure(bare, `${round}`), ours: await measure(ours, `${round}`) })
  return rounds
}

async function measure({ url, ready, took }: Side, run: string, seconds = ROUND_SECONDS): Promise<Measured> {
  await ready?.()
  const { batches, failures, p99, ...all } = await runLoad({
    url,
    writeKey: SITE,
    connections: CONNECTIONS,
    seconds,
    run: `${run}-${Date.now().toString(36)}`,
  })
  if (failures > 0) throw new Error(`${failures} requests to ${url} failed`)
  took?.(batches * BATCH_SIZE)
  return { p99, eventsPerSecond: (batches * BATCH_SIZE) / all.seconds }
}

function table(measured: Record<string, Round[]>): string {
  const header = [
    '',
    'rounds',
    'events/s',
    'p99 ms',
    'bare: events/s',
    'p99 ms',
    '÷ bare',
    'half of them',
    'all of them',
  ]
  const rows = Object.entries(measured).map(([name, rounds]) => {
    const at = (p: number, of: (round: Round) => number) => percentile(rounds.map(of), p)
    const ratio = ({ bare, ours }: Round) => ours.eventsPerSecond / bare.eventsPerSecond
    const range = (from: number, to: number) => `${at(from, ratio).toFixed(3)}–${at(to, ratio).toFixed(3)}`
    return [
      name,
      whole(rounds.length),
      whole(at(0.5, round => round.ours.eventsPerSecond)),
      milliseconds(at(0.5, round => round.ours.p99)),
      whole(at(0.5, round => round.bare.eventsPerSecond)),
      milliseconds(at(0.5, round => round.bare.p99)),
      at(0.5, ratio).toFixed(3),
      range(0.25, 0.75),
      range(0, 1),
    ]
  })
  return markdownTable(header, rows)
}

import { cpus } from 'node:os'
import { percentile } from '../support/percentile.js'
import { startFrontDoor } from '../support/servers/front-door.js'
import { startBareServer } from '../support/servers/start-bare-server.js'
import { SITE, startSystem, untilStored } from '../support/servers/system.js'
import { markdownTable, milliseconds, whole } from '../support/table.js'
import { BATCH_SIZE } from './bodies.js'
import { CONNECTIONS, loadAll, type Taken } from './load-all.js'

const WARM_UP_SECONDS = 2
const ROUND_SECONDS = 3
/** Many short rounds: what else a shared machine does comes and goes, and should meet both sides alike. */
const ALONE_ROUNDS = 24
const WHOLE_ROUNDS = 6

/** Some servers that take batches. */
interface Side {
  urls: string[]
  /** Called before each round. */
  ready?: () => Promise<unknown>
  /** Told how many events a round had acknowledged. */
  took?: (events: number) => void
}

interface Round {
  bare: Taken
  ours: Taken
}

/**
 * Events per second that are acknowledged, which the collector does when JetStream has stored them, against a bare
 * server that parses the same bodies and answers 204, in turns: first with nothing behind the collector and its
 * nats-server, then with as many collectors as there are cores, then the whole system on the same cores, profiles and
 * warehouse included.
 */
export async function benchIngest(): Promise<string> {
  const bare = await startBareServer()
  const cores = cpus().length
  try {
    const single = await besideCollectors(1, bare.url)
    const several = await besideCollectors(cores, bare.url)
    const { rounds, acknowledged, stored } = await besideSystem(bare.url)
    return `## Ingest: ${BATCH_SIZE} events a batch, ${CONNECTIONS} connections, rounds of ${ROUND_SECONDS} s

${table({ 'one collector and NATS': single, [`${cores} collectors and NATS`]: several, 'the whole system': rounds })}

The whole system acknowledged ${whole(acknowledged)} events, in ClickHouse afterwards ${whole(stored)}.`
  } finally {
    bare.stop()
  }
}

async function besideCollectors(count: number, bare: string): Promise<Round[]> {
  const frontDoor = await startFrontDoor(SITE, count)
  try {
    return await inTurns(ALONE_ROUNDS, { urls: [bare] }, { urls: frontDoor.collectorUrls })
  } finally {
    await frontDoor.stop()
  }
}

/** Measures rounds, each of which waits until the warehouse has caught up. */
async function besideSystem(bare: string) {
  const system = await startSystem()
  let acknowledged = 0
  const ready = () => untilStored(system, acknowledged)
  const took = (events: number) => {
    acknowledged += events
  }
  try {
    const rounds = await inTurns(WHOLE_ROUNDS, { urls: [bare], ready }, { urls: [system.collectorUrl], ready, took })
    return { rounds, acknowledged, stored: await ready() }
  } finally {
    await system.stop()
  }
}

async function inTurns(count: number, bare: Side, ours: Side): Promise<Round[]> {
  for (const side of [bare, ours]) await measure(side, WARM_UP_SECONDS)
  const rounds: Round[] = []
  for (let round = 1; round <= count; round++) rounds.push({ bare: await measure(bare), ours: await measure(ours) })
  return rounds
}

async function measure({ urls, ready, took }: Side, seconds = ROUND_SECONDS): Promise<Taken> {
  await ready?.()
  const measured = await loadAll(urls, seconds, Date.now().toString(36))
  took?.(measured.events)
  return measured
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
    const at = (p: number, pick: (round: Round) => number) => percentile(rounds.map(pick), p)
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

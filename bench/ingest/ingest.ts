import { startFrontDoor } from '../support/front-door.js'
import { percentile } from '../support/percentile.js'
import { startBareServer } from '../support/start-bare-server.js'
import { SITE, startSystem, untilStored } from '../support/system.js'
import { markdownTable, milliseconds, whole } from '../support/table.js'
import { BATCH_SIZE } from './bodies.js'
import { runLoad } from './run-load.js'

const CONNECTIONS = 32
const ROUNDS = 3
const WARM_UP_SECONDS = 2
const ROUND_SECONDS = 6

/**
 * Events per second that are acknowledged, which the collector does when JetStream has stored them, against a bare
 * server that parses the same bodies and answers 204: once with nothing behind the collector and its nats-server, once
 * with the whole system on the same cores, profiles and warehouse included. The three take turns; the next waits until
 * the warehouse has caught up.
 */
export async function benchIngest(): Promise<string> {
  const bare = await startBareServer()
  const frontDoor = await startFrontDoor(SITE)
  const system = await startSystem()
  let acknowledged = 0
  const measure = async (url: string, run: string, seconds = ROUND_SECONDS) => {
    const result = await runLoad({ url, writeKey: SITE, connections: CONNECTIONS, seconds, run })
    if (result.failures > 0) throw new Error(`${result.failures} requests to ${url} failed`)
    if (url === system.collectorUrl) acknowledged += result.batches * BATCH_SIZE
    return { p99: result.p99, eventsPerSecond: (result.batches * BATCH_SIZE) / result.seconds }
  }
  const urls = { bare: bare.url, frontDoor: frontDoor.collectorUrl, system: system.collectorUrl }

  try {
    for (const [name, url] of Object.entries(urls)) await measure(url, `warm-${name}`, WARM_UP_SECONDS)
    const rounds: Round[] = []
    for (let round = 1; round <= ROUNDS; round++) {
      await untilStored(system, acknowledged)
      rounds.push({
        bare: await measure(urls.bare, `bare-${round}`),
        frontDoor: await measure(urls.frontDoor, `front-door-${round}`),
        system: await measure(urls.system, `system-${round}`),
      })
    }
    const stored = await untilStored(system, acknowledged)
    return report(rounds, acknowledged, stored)
  } finally {
    bare.stop()
    await frontDoor.stop()
    await system.stop()
  }
}

type Measured = { eventsPerSecond: number; p99: number }
type Round = Record<'bare' | 'frontDoor' | 'system', Measured>

function report(rounds: Round[], acknowledged: number, stored: number): string {
  const ratio = (of: 'frontDoor' | 'system') => (round: Round) => round[of].eventsPerSecond / round.bare.eventsPerSecond
  const cells = ({ eventsPerSecond, p99 }: Measured) => [whole(eventsPerSecond), milliseconds(p99)]
  const rows = rounds.map((round, index) => [
    `round ${index + 1}`,
    ...cells(round.bare),
    ...cells(round.frontDoor),
    ratio('frontDoor')(round).toFixed(3),
    ...cells(round.system),
    ratio('system')(round).toFixed(3),
  ])
  const header = [
    '',
    'bare: events/s',
    'p99 ms',
    'collector: events/s',
    'p99 ms',
    '÷ bare',
    'whole: events/s',
    'p99 ms',
    '÷ bare',
  ]
  const median = (of: 'frontDoor' | 'system') => percentile(rounds.map(ratio(of)), 0.5).toFixed(3)
  return `## Ingest: ${BATCH_SIZE} events a batch, ${CONNECTIONS} connections

${markdownTable(header, rows)}

Median ratio: collector and NATS alone ${median('frontDoor')}, whole system on the same cores ${median('system')}. The whole system acknowledged ${whole(acknowledged)} events, in ClickHouse afterwards ${whole(stored)}.`
}

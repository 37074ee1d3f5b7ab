import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { percentile } from '../support/percentile.js'
import { startBareServer } from '../support/start-bare-server.js'
import { SITE, startSystem, untilStored } from '../support/system.js'
import { markdownTable, milliseconds, whole } from '../support/table.js'
import { BATCH_SIZE } from './bodies.js'
import type { LoadOrder, LoadResult } from './load.js'

const CONNECTIONS = 32
const ROUNDS = 3
const WARM_UP_SECONDS = 2
const ROUND_SECONDS = 6

/**
 * Events per second that the collector acknowledges, which it does when JetStream has stored them, against a bare
 * server that parses the same bodies and answers 204. The two take turns. The whole system runs on the same cores,
 * warehouse included; the next turn waits until that has caught up.
 */
export async function benchIngest(): Promise<string> {
  const bare = await startBareServer()
  const system = await startSystem()
  let acknowledged = 0
  const measure = async (url: string, run: string, seconds = ROUND_SECONDS) => {
    const result = await load({ url, writeKey: SITE, connections: CONNECTIONS, seconds, run })
    if (result.failures > 0) throw new Error(`${result.failures} requests to ${url} failed`)
    return { ...result, eventsPerSecond: (result.batches * BATCH_SIZE) / result.seconds }
  }
  const measureSystem = async (run: string, seconds?: number) => {
    const result = await measure(system.collectorUrl, run, seconds)
    acknowledged += result.batches * BATCH_SIZE
    return result
  }

  try {
    await measure(bare.url, 'warm-bare', WARM_UP_SECONDS)
    await measureSystem('warm-system', WARM_UP_SECONDS)
    const rounds: { bare: Measured; system: Measured }[] = []
    let stored = 0
    for (let round = 1; round <= ROUNDS; round++) {
      stored = await untilStored(system, acknowledged)
      const bareResult = await measure(bare.url, `bare-${round}`)
      rounds.push({ bare: bareResult, system: await measureSystem(`system-${round}`) })
    }
    stored = await untilStored(system, acknowledged)
    return report(rounds, acknowledged, stored)
  } finally {
    bare.stop()
    await system.stop()
  }
}

type Measured = LoadResult & { eventsPerSecond: number }

function report(rounds: { bare: Measured; system: Measured }[], acknowledged: number, stored: number): string {
  const ratios = rounds.map(({ bare, system }) => system.eventsPerSecond / bare.eventsPerSecond)
  const rows = rounds.map(({ bare, system }, index) => [
    `round ${index + 1}`,
    whole(bare.eventsPerSecond),
    milliseconds(bare.p99),
    whole(system.eventsPerSecond),
    milliseconds(system.p99),
    ratios[index]!.toFixed(3),
  ])
  const header = ['', 'bare: events/s', 'bare: p99 ms', 'collector: events/s', 'collector: p99 ms', 'collector ÷ bare']
  return `## Ingest: ${BATCH_SIZE} events a batch, ${CONNECTIONS} connections

${markdownTable(header, rows)}

Median ratio ${percentile(ratios, 0.5).toFixed(3)}. Acknowledged ${whole(acknowledged)} events, in ClickHouse afterwards ${whole(stored)}.`
}

function load(order: LoadOrder): Promise<LoadResult> {
  const child = fork(fileURLToPath(new URL('./load.js', import.meta.url)))
  child.send(order)
  return new Promise((resolve, reject) => {
    child.once('message', message => resolve(message as LoadResult))
    child.once('exit', code => reject(new Error(`the load generator ended with code ${code}`)))
  })
}

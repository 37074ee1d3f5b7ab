import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { watchRows } from '../freshness/watch-rows.js'
import { memoryOf } from '../support/memory.js'
import type { Clock } from '../support/open-loop.js'
import { SITE, startSystem, untilStored } from '../support/servers/system.js'
import type { SteadyCommand, SteadyNews } from './load.js'

export const EVENTS_PER_SECOND = 5_000

/** How often memory is read, and how long rows may take after the last was sent, in milliseconds. */
const MEMORY_EVERY_MS = 5_000
const DEADLINE_MS = 120_000

/**
 * How far a row's time may lie before the time it was to be sent, in seconds. Rows are looked for from there on, by the
 * table's order: to look through the last minutes again and again would take a core away from what is measured.
 */
const EARLIER_SECONDS = 10

/** Two processes know one clock: milliseconds since the epoch, with fractions. */
const commonClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  sleep: ms => new Promise(resolve => setTimeout(resolve, ms)),
}

export interface Sustained {
  seconds: number
  acknowledged: number
  failures: number
  stored: number
  /** Milliseconds from when a batch was meant to be sent until it was acknowledged, and until its row was visible. */
  acknowledgedAfter: number[]
  visibleAfter: number[]
  betweenAnswers: number[]
  /** Megabytes of each process, from reading to reading. */
  memory: Record<string, number>[]
}

/** Measures the whole product at a steady rate: from the collector to the row. */
export async function benchSustained(seconds: number): Promise<Sustained> {
  const system = await startSystem()
  const rows = watchRows(
    async (messageIds, oldest) =>
      (
        await system
          .query<{ message_id: string }>(
            `SELECT message_id FROM slotstream.events
           WHERE site_id = {site: String} AND original_timestamp > fromUnixTimestamp64Milli({oldest: Int64}) - INTERVAL ${EARLIER_SECONDS} SECOND
             AND message_id IN {ids: Array(String)}`,
            { site: SITE, ids: messageIds, oldest: Math.floor(oldest) },
          )
          // A long run doesn't end with one question: it is asked again, and the rows' time goes on.
          .catch(error => {
            console.error(`pipeline: asking for ${messageIds.length} rows failed`, error)
            return []
          })
      ).map(row => row.message_id),
    { pauseMs: 50, clock: commonClock },
  )
  const memory: Record<string, number>[] = []
  const reading = setInterval(() => void memoryOf(system.pidFiles).then(sample => memory.push(sample)), MEMORY_EVERY_MS)
  try {
    const command: SteadyCommand = {
      url: system.collectorUrl,
      writeKey: SITE,
      eventsPerSecond: EVENTS_PER_SECOND,
      seconds,
    }
    const end = await load(command, rows.add)
    const deadline = commonClock.now() + DEADLINE_MS
    while (rows.waitingFor() > 0) {
      if (commonClock.now() > deadline) throw new Error(`${rows.waitingFor()} messages are not visible in time`)
      await commonClock.sleep(50)
    }
    return {
      seconds,
      acknowledged: end.acknowledged,
      failures: end.failures,
      stored: await untilStored(system, end.acknowledged),
      acknowledgedAfter: end.latencies,
      visibleAfter: rows.latencies,
      betweenAnswers: rows.betweenAnswers,
      memory,
    }
  } finally {
    clearInterval(reading)
    await rows.stop()
    await system.stop()
  }
}

function load(command: SteadyCommand, watch: (messageId: string, since: number) => void) {
  const child = fork(fileURLToPath(new URL('./load.js', import.meta.url)))
  child.send(command)
  return new Promise<Extract<SteadyNews, { kind: 'end' }>>((resolve, reject) => {
    child.on('message', (news: SteadyNews) => {
      if (news.kind === 'batch') watch(news.messageId, news.intendedAt)
      else resolve(news)
    })
    child.once('exit', code => reject(new Error(`the load generator ended with code ${code}`)))
  })
}

import { BATCH_SIZE } from '../ingest/bodies.js'
import { runLoad } from '../ingest/run-load.js'
import { startFrontDoor } from '../support/front-door.js'
import { SITE } from '../support/system.js'

const CONNECTIONS = 32
const WARM_UP_SECONDS = 2

/** What a number of collectors side by side take, and what each event costs. */
export interface Growth {
  collectors: number
  eventsPerSecond: number
  p99: number
  /** Microseconds of processor time an event. */
  collectorMicros: number
  natsMicros: number
  /** Bytes an event in JetStream's files. */
  storedBytes: number
}

/** Collectors on one nats-server, with as many load generators, which share the connections. */
export async function benchGrowth(collectors: number, seconds: number): Promise<Growth> {
  const frontDoor = await startFrontDoor(SITE, collectors)
  const all = (run: string, duration: number) =>
    Promise.all(
      frontDoor.collectorUrls.map((url, index) =>
        runLoad({
          url,
          writeKey: SITE,
          connections: CONNECTIONS / collectors,
          seconds: duration,
          run: `${run}-${index}`,
        }),
      ),
    )
  try {
    await all('warm', WARM_UP_SECONDS)
    const before = await frontDoor.usage()
    const results = await all('round', seconds)
    const after = await frontDoor.usage()
    const failures = results.reduce((sum, result) => sum + result.failures, 0)
    if (failures > 0) throw new Error(`${failures} requests failed`)
    const events = results.reduce((sum, result) => sum + result.batches * BATCH_SIZE, 0)
    return {
      collectors,
      eventsPerSecond: results.reduce((sum, result) => sum + (result.batches * BATCH_SIZE) / result.seconds, 0),
      p99: Math.max(...results.map(result => result.p99)),
      collectorMicros: ((after.collectors - before.collectors) * 1e6) / events,
      natsMicros: ((after.nats - before.nats) * 1e6) / events,
      storedBytes: (after.stored - before.stored) / events,
    }
  } finally {
    await frontDoor.stop()
  }
}

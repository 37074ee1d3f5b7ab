import { loadAll } from '../ingest/load-all.js'
import { startFrontDoor } from '../support/servers/front-door.js'
import { SITE } from '../support/servers/system.js'

const WARM_UP_SECONDS = 2

/** Load that a number of collectors side by side take, and the cost of each event. */
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

/** Collectors on one nats-server, with as many load generators. */
export async function benchGrowth(collectors: number, seconds: number): Promise<Growth> {
  const frontDoor = await startFrontDoor(SITE, collectors)
  try {
    await loadAll(frontDoor.collectorUrls, WARM_UP_SECONDS, 'warm')
    const before = await frontDoor.usage()
    const { events, eventsPerSecond, p99 } = await loadAll(frontDoor.collectorUrls, seconds, 'round')
    const after = await frontDoor.usage()
    return {
      collectors,
      eventsPerSecond,
      p99,
      collectorMicros: ((after.collectors - before.collectors) * 1e6) / events,
      natsMicros: ((after.nats - before.nats) * 1e6) / events,
      storedBytes: (after.stored - before.stored) / events,
    }
  } finally {
    await frontDoor.stop()
  }
}

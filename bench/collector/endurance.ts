import { BATCH_SIZE } from '../ingest/bodies.js'
import { runLoad } from '../ingest/run-load.js'
import { collectorMetric } from '../support/front-door.js'
import { SITE } from '../support/system.js'

const CONNECTIONS = 32
/** How long the load runs between two readings. */
const PIECE_SECONDS = 5

/** A collector's resident memory after so many events. */
export interface Reading {
  events: number
  megabytes: number
}

/** Sends at full speed until the collector acknowledged so many events; reads its memory in between. */
export async function benchEndurance(url: string, events: number): Promise<Reading[]> {
  const readings: Reading[] = []
  for (let sent = 0; sent < events; ) {
    const run = `endurance-${readings.length}`
    const result = await runLoad({ url, writeKey: SITE, connections: CONNECTIONS, seconds: PIECE_SECONDS, run })
    if (result.failures > 0) throw new Error(`${result.failures} requests failed after ${sent} events`)
    sent += result.batches * BATCH_SIZE
    const bytes = await collectorMetric(url, 'process_resident_memory_bytes')
    readings.push({ events: sent, megabytes: bytes / 1024 / 1024 })
  }
  return readings
}

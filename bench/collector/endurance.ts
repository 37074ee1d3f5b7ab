import { loadAll } from '../ingest/load-all.js'
import { collectorMetric } from '../support/servers/front-door.js'

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
    sent += (await loadAll([url], PIECE_SECONDS, `endurance-${readings.length}`)).events
    const bytes = await collectorMetric(url, 'process_resident_memory_bytes')
    readings.push({ events: sent, megabytes: bytes / 1024 / 1024 })
  }
  return readings
}

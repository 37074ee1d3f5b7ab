import { BATCH_SIZE, createBodies } from '../ingest/bodies.js'
import { openLoop } from '../support/open-loop.js'
import { createPoster } from '../support/poster.js'
import { SITE } from '../support/servers/system.js'

/**
 * Batches at a fixed rate, whether or not earlier ones have been answered.
 *
 * @returns milliseconds from when each was meant to be sent until it was acknowledged
 */
export async function benchSteady(url: string, eventsPerSecond: number, seconds: number): Promise<number[]> {
  const bodies = createBodies(`steady-${Date.now()}`, Date.now())
  const poster = createPoster(url, SITE)
  const latencies: number[] = []
  try {
    await openLoop({ perSecond: eventsPerSecond / BATCH_SIZE, seconds }, async (_n, intendedAt) => {
      const { status } = await poster.postRaw('/v1/batch', Buffer.from(bodies.next()))
      if (status !== 200) throw new Error(`a batch was answered ${status}`)
      latencies.push(performance.now() - intendedAt)
    })
  } finally {
    poster.close()
  }
  return latencies
}

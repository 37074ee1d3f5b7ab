import { PublishError, type Publisher, type Stored } from '@slotstream/runtime'
import { unavailable } from './failure.js'
import type { CollectorMetrics } from './metrics.js'
import type { Publication } from './publications.js'

/** Messages of one request that are on their way at a time: a batch of many visitors must not fill the publisher. */
const WAVE = 256

/**
 * Publishes in order; resolves with one acknowledgement for each when JetStream has stored all.
 *
 * @throws Failure `unavailable` when one was not acknowledged; the others may be stored
 */
export async function publishAll(
  publisher: Publisher,
  publications: Publication[],
  metrics: CollectorMetrics,
): Promise<Stored[]> {
  const stopTimer = metrics.publishSeconds.startTimer()
  const stored: Stored[] = []
  try {
    for (let first = 0; first < publications.length; first += WAVE) {
      const wave = publications.slice(first, first + WAVE)
      const sent = wave.map(({ subject, data, msgId }) => publisher.publish(subject, data, msgId))
      stored.push(...(await Promise.all(sent)))
    }
  } catch (error) {
    if (!(error instanceof PublishError)) throw error
    metrics.publishFailures.inc({ code: error.code })
    throw unavailable()
  }
  stopTimer()
  return stored
}

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
  const began = performance.now()
  const stored: Stored[] = []
  try {
    // The usual batch is of one visitor, hence one message.
    if (publications.length === 1) stored.push(await send(publications[0]!))
    else
      for (let first = 0; first < publications.length; first += WAVE)
        stored.push(...(await Promise.all(publications.slice(first, first + WAVE).map(send))))
  } catch (error) {
    if (!(error instanceof PublishError)) throw error
    metrics.publishFailures.inc({ code: error.code })
    throw unavailable()
  }
  metrics.publishSeconds.observe((performance.now() - began) / 1_000)
  for (const { duplicate } of stored) if (duplicate) metrics.duplicates.inc()
  return stored

  function send({ subject, data, msgId }: Publication): Promise<Stored> {
    return publisher.publish(subject, data, msgId)
  }
}

import { PublishError, type Publisher, pause, type Stored } from '@slotstream/runtime'
import { unavailable } from '../../http/failure.js'
import type { CollectorMetrics } from '../../metrics.js'
import type { Publication } from './publications.js'

/** Messages of one request that are on their way at a time: a batch of many visitors must not fill the publisher. */
const WAVE = 256

/** The pace of a batch: small waves make a steady flow. */
export interface Pace {
  /** Messages of a wave. */
  wave: number
  /** Returns how long a wave of so many messages has to wait, in milliseconds. */
  wait(messages: number): number
}

/**
 * Publishes in order; resolves with one acknowledgement for each when JetStream has stored all.
 *
 * @param publications may be made while the first are on their way
 * @param pace asked before each wave. Default: they follow at once
 * @throws Failure `unavailable` when one was not acknowledged; the others may be stored
 */
export async function publishAll(
  publisher: Publisher,
  publications: Iterable<Publication>,
  metrics: CollectorMetrics,
  pace?: Pace,
): Promise<Stored[]> {
  const began = performance.now()
  const stored: Stored[] = []
  try {
    // The usual batch is of one visitor, hence one message.
    if (!pace && Array.isArray(publications) && publications.length === 1) stored.push(await send(publications[0]))
    else
      for (const wave of waves(publications, pace?.wave ?? WAVE)) {
        const wait = pace?.wait(wave.length) ?? 0
        if (wait >= 1) await pause(wait)
        stored.push(...(await Promise.all(wave.map(send))))
      }
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

function* waves<T>(items: Iterable<T>, size: number): Generator<T[]> {
  let wave: T[] = []
  for (const item of items) {
    if (wave.push(item) < size) continue
    yield wave
    wave = []
  }
  if (wave.length > 0) yield wave
}

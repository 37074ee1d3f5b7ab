import { hash } from 'node:crypto'
import { type SignalEnvelope, streamSubject } from '@slotstream/protocol'
import type { Metrics, Publisher } from '@slotstream/runtime'

/**
 * Publishes what was detected in a message of a partition.
 *
 * @throws when the stream may not have it: call it again
 */
export type PublishSignals = (partition: number, envelope: SignalEnvelope) => Promise<void>

/**
 * Creates the function that publishes signals. Publishing them twice is harmless: the broker or the warehouse drops the
 * second message.
 */
export function createPublishSignals(publisher: Pick<Publisher, 'publish'>, metrics: Metrics): PublishSignals {
  const counted = metrics.counter('signals_total', 'Signals published, by name', ['signal'])

  return async (partition, envelope) => {
    const { signals } = envelope
    const id = hash('sha256', signals.map(({ signalId }) => signalId).join(), 'base64url')
    const { duplicate } = await publisher.publish(streamSubject('signals', partition), JSON.stringify(envelope), id)
    if (!duplicate) for (const { signal } of signals) counted.inc({ signal })
  }
}

import { type DeliveryEnvelope, streamSubject } from '@slotstream/protocol'
import { type Log, type Publisher, retryForever } from '@slotstream/runtime'

/**
 * Stores what became of an attempt in the stream of deliveries.
 *
 * @throws Stopped when `signal` fires before
 */
export type PublishDelivery = (partition: number, envelope: DeliveryEnvelope, signal: AbortSignal) => Promise<void>

/** Creates the function. Storing twice is harmless: the broker or the warehouse drops the second message. */
export function createPublishDelivery(publisher: Pick<Publisher, 'publish'>, log: Log): PublishDelivery {
  return async (partition, envelope, signal) => {
    const [delivery] = envelope.deliveries
    const id = `delivery:${delivery?.attemptId}`
    const text = JSON.stringify(envelope)
    await retryForever(
      () => publisher.publish(streamSubject('deliveries', partition), text, id),
      signal,
      (error, attempt) => {
        if (attempt % 20 === 0) log.warn({ err: error, partition }, 'a delivery could not be recorded, trying again')
      },
    )
  }
}

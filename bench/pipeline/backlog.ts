import { partitionOf, streamSubject } from '@slotstream/protocol'
import { createPublisher } from '@slotstream/runtime'
import { BATCH_SIZE } from '../ingest/bodies.js'
import { SITE } from '../support/servers/system.js'
import type { Pieces } from './pieces.js'
import { createShoppers } from './shoppers.js'

/** Messages under way at a time. */
const WINDOW = 500

/** Puts a backlog into the stream, as a collector does. Returns the events in it. */
export async function publishBacklog(
  { nats, partitions }: Pick<Pieces, 'nats' | 'partitions'>,
  events: number,
  seed: number,
): Promise<number> {
  const publisher = createPublisher(nats)
  const shoppers = createShoppers(seed)
  const underWay = new Set<Promise<unknown>>()
  let published = 0
  while (published < events) {
    const envelope = shoppers.envelope(SITE, Date.now())
    const subject = streamSubject('events', partitionOf(SITE, envelope.visitorId, partitions))
    const sending: Promise<void> = publisher.publish(subject, JSON.stringify(envelope)).then(() => {
      underWay.delete(sending)
    })
    underWay.add(sending)
    published += BATCH_SIZE
    if (underWay.size >= WINDOW) await Promise.race(underWay)
  }
  await Promise.all(underWay)
  publisher.close()
  return published
}

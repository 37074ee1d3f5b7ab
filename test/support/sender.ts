import { randomUUID } from 'node:crypto'

/** A client that does as the SDK does: sends sealed batches, and each again, unchanged, until it is acknowledged. */
export function createSender(collectorUrl: string, writeKey: string) {
  const acknowledged = new Set<string>()
  let pending = 0
  let stopped = false

  async function deliver(body: { batchId: string; batch: { messageId: string }[] }): Promise<void> {
    pending++
    for (;;) {
      try {
        const response = await fetch(`${collectorUrl}/v1/batch?writeKey=${writeKey}`, {
          method: 'POST',
          body: JSON.stringify({ ...body, sentAt: new Date().toISOString() }),
          signal: AbortSignal.timeout(10_000),
        })
        const answer = (await response.json()) as { accepted?: number }
        if (response.ok && answer.accepted === body.batch.length) {
          for (const { messageId } of body.batch) acknowledged.add(messageId)
          pending--
          return
        }
      } catch {
        // No answer: stored or not, the batch is sent again under its id.
      }
      await new Promise(resolve => setTimeout(resolve, 200 + Math.random() * 200))
    }
  }

  return {
    acknowledged: () => acknowledged,
    unacknowledged: () => pending,
    stop() {
      stopped = true
    },
    /** Sends until `stop`, then resolves when everything is acknowledged. */
    async send(options: { eventsPerSecond: number; batchSize: number; visitors: number }): Promise<void> {
      const deliveries: Promise<void>[] = []
      for (let n = 0; !stopped; n++) {
        const anonymousId = `sender-${n % options.visitors}`
        const batch = Array.from({ length: options.batchSize }, (_, i) => ({
          messageId: randomUUID(),
          type: 'track',
          event: 'Product Viewed',
          anonymousId,
          timestamp: new Date().toISOString(),
          // Every visitor comes back to the product of the day, which makes signals.
          properties: { n, i, product_id: `product-${Math.floor(n / 200)}` },
        }))
        deliveries.push(deliver({ batchId: randomUUID(), batch }))
        await new Promise(resolve => setTimeout(resolve, (1_000 * options.batchSize) / options.eventsPerSecond))
      }
      await Promise.all(deliveries)
    },
  }
}

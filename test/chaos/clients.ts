import type { Random } from './random.js'

/** A message as a client of its own makes it. */
interface Sent {
  messageId: string
  anonymousId: string
  [field: string]: unknown
}

/** How long a client waits for an answer, in milliseconds. */
const PATIENCE_MS = 8_000

/** Which batch of each client is larger than a person makes one, and how much: a session anomaly in every run. */
const BUSY = 2
const BUSY_MESSAGES = 320

/**
 * Clients of a site: each sends sealed batches through whichever collector answers, and a batch again, unchanged,
 * until it is acknowledged. Now and then one sends what was acknowledged a second time, soon or much later, or in
 * another batch.
 */
export function startClients(collectorUrls: string[], random: Random, { clients = 4, everyMs = 100 } = {}) {
  const acknowledged = new Map<string, string>()
  const history: Sent[][] = []
  let stopped = false
  let attempts = 0
  let repeats = 0
  let made = 0

  async function deliver(batch: Sent[], batchId: string): Promise<void> {
    for (let turn = 0; ; turn++) {
      attempts++
      try {
        const response = await fetch(`${collectorUrls[turn % collectorUrls.length]}/v1/batch?writeKey=chaos`, {
          method: 'POST',
          body: JSON.stringify({ batchId, batch, sentAt: new Date().toISOString() }),
          signal: AbortSignal.timeout(PATIENCE_MS),
        })
        const answer = (await response.json()) as { accepted?: number }
        if (response.ok && answer.accepted === batch.length) break
      } catch {
        // No answer: stored or not, the batch is sent again under its id.
      }
      await pause(100 + 300 * random.next())
    }
    for (const { messageId, anonymousId } of batch) acknowledged.set(messageId, anonymousId)
  }

  async function client(number: number): Promise<void> {
    for (let n = 0; !stopped; n++) {
      const anonymousId = `client-${number}-${n % 5}`
      const size = n === BUSY ? BUSY_MESSAGES : random.int(1, 20)
      const batch = Array.from({ length: size }, () => message(anonymousId))
      await deliver(batch, `batch-${number}-${n}`)
      history.push(batch)
      const chance = random.next()
      // The same batch again, soon: its answer was lost on the way, or it is a second copy of the request.
      if (chance < 0.1) await repeat(batch, `batch-${number}-${n}`)
      // The same messages in another batch, which the broker can't recognise.
      else if (chance < 0.2) await repeat(batch, `other-${number}-${n}`)
      await pause(everyMs * 2 * random.next())
    }
  }

  /** What an old import, or a laptop that was closed for long, sends again. */
  async function latecomer(): Promise<void> {
    for (let n = 0; !stopped; n++) {
      await pause(2_000)
      if (history.length > 0) await repeat(random.pick(history), `late-${n}`)
    }
  }

  async function repeat(batch: Sent[], batchId: string): Promise<void> {
    repeats += batch.length
    await deliver(batch, batchId)
  }

  function message(anonymousId: string): Sent {
    const n = ++made
    const common = {
      messageId: `m-${n}`,
      anonymousId,
      timestamp: new Date().toISOString(),
      context: { sessionId: `${anonymousId}-${Math.floor(n / 8_000)}` },
    }
    if (random.next() < 0.2) return { ...common, type: 'page', properties: { path: `/${n % 7}` } }
    // All three signals come of it: each fashion lasts twice as long as the one before, and products come back.
    const category = `category-${Math.floor(Math.log2(1 + n / 200)) % 4}`
    const product_id = `product-${Math.floor(n / 500)}-${n % 12}`
    return { ...common, type: 'track', event: 'Product Viewed', properties: { n, category, product_id } }
  }

  const working = Promise.all([...Array.from({ length: clients }, (_, number) => client(number)), latecomer()])
  return {
    /** Message ids that were acknowledged, each with its visitor. */
    acknowledged,
    counts: () => ({ acknowledged: acknowledged.size, attempts, repeats }),
    /** Stops making messages; resolves when everything made is acknowledged. */
    async finish(): Promise<void> {
      stopped = true
      await working
    },
  }
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}

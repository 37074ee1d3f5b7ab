import { bucketStream, partitionOf, profilesBucket, type StoredMessage, streamSubject } from '@slotstream/protocol'
import { createPublisher } from '@slotstream/runtime'
import { residentOf } from '../support/memory.js'
import { machineClock, openLoop } from '../support/open-loop.js'
import { percentile } from '../support/percentile.js'
import { progressOf } from '../support/progress.js'
import { markdownTable, milliseconds, whole } from '../support/table.js'
import { ADMIN_TOKEN, type Owners, SITE, startOwners } from './owner.js'

const done = progressOf('profiles')

const MB = 2 ** 20

/**
 * Memory that profiles may take, and the limit of the heap of which that is a third, as without a setting. With the
 * engine's own limit of some gigabytes it leaves garbage of some 200 MB where it is.
 */
const BUDGET_MB = 192
const HEAP_MB = 3 * BUDGET_MB

/** Steps at which the sizes are read: their slope says what further profiles take. */
const STEPS = 5

/** Messages under way at a time, reads a second, and how many of each kind. */
const WINDOW = 1_000
const READS_PER_SECOND = 100
const READS = 1_000

/** Profiles read last are hot: as many are read again and again. */
const HOT = 1_000

const POLL_MS = 200
const DEADLINE_MS = 60 * 60_000

interface Reads {
  latencies: number[]
  /** Reads that were answered by an error. */
  failed: number
}

interface Sizes {
  profiles: number
  resident: number
  stored: number
}

/**
 * Measures a million profiles within a byte budget: resident and stored bytes as they grow, and reads at the
 * collector's door.
 */
export async function benchMillion(profiles: number): Promise<string> {
  const owners = await startOwners()
  try {
    const owner = await owners.owner({
      MAX_PROFILES: String(profiles),
      PROFILES_MEMORY_MB: String(BUDGET_MB),
      NODE_OPTIONS: `--max-old-space-size=${HEAP_MB}`,
    })
    await owner.ready()
    const sizes: Sizes[] = []
    for (let step = 1; step <= STEPS; step++) {
      const count = Math.round((profiles * step) / STEPS)
      await publish(owners, sizes.at(-1)?.profiles ?? 0, count)
      await untilStored(owners, count)
      const { state } = await owners.nats.manager.streams.info(bucketStream(profilesBucket(0)))
      sizes.push({ profiles: count, resident: await residentOf(owner.pid), stored: state.bytes })
      done(`${whole(count)} profiles, ${whole(sizes.at(-1)!.resident / MB)} MB resident`)
    }
    // Step primes meet each in an order that looks random.
    const hotIds = Array.from({ length: Math.min(HOT, profiles) }, (_, n) => profiles - 1 - n)
    await read(owners, n => hotIds[n % hotIds.length]!)
    const hot = await read(owners, n => hotIds[(n * 7) % hotIds.length]!)
    // A server reads the block of megabytes that a profile is in, and keeps it for some seconds.
    const half = Math.max(1, Math.floor(profiles / 2))
    const cold = await read(owners, n => (n * 7_919) % half)
    const again = await read(owners, n => (n * 7_919 + 1) % half)
    return report(sizes, { hot, cold, again })
  } finally {
    await owners.stop()
  }
}

/** Puts two messages of each visitor into the stream. */
async function publish({ nats, installation }: Owners, from: number, to: number): Promise<void> {
  const publisher = createPublisher(nats)
  const underWay = new Set<Promise<unknown>>()
  for (let visitor = from; visitor < to; visitor++) {
    const visitorId = idOf(visitor)
    const at = new Date().toISOString()
    const body = JSON.stringify({ siteId: SITE, visitorId, receivedAt: at, messages: messagesOf(visitor, at) })
    const subject = streamSubject('events', partitionOf(SITE, visitorId, installation.partitions))
    const sending: Promise<void> = publisher.publish(subject, body).then(() => {
      underWay.delete(sending)
    })
    underWay.add(sending)
    if (underWay.size >= WINDOW) await Promise.race(underWay)
  }
  await Promise.all(underWay)
  publisher.close()
}

const idOf = (visitor: number) => `visitor-${visitor.toString(36).padStart(12, '0')}`

function messagesOf(visitor: number, timestamp: string): StoredMessage[] {
  const anonymousId = idOf(visitor)
  const properties = { product_id: `sku-${visitor % 20_000}`, category: `category-${visitor % 40}`, price: 20 }
  const context = { locale: 'de-DE', sessionId: `session-${visitor}` }
  return [
    { messageId: `page-${visitor}`, type: 'page', anonymousId, timestamp, properties: { name: 'Product' }, context },
    {
      messageId: `view-${visitor}`,
      type: 'track',
      event: 'Product Viewed',
      anonymousId,
      timestamp,
      properties,
      context,
    },
  ]
}

async function untilStored({ nats }: Owners, count: number): Promise<void> {
  const deadline = machineClock.now() + DEADLINE_MS
  for (;;) {
    const { messages } = (await nats.manager.streams.info(bucketStream(profilesBucket(0)))).state
    if (messages >= count) return
    if (machineClock.now() > deadline) throw new Error(`${messages} of ${count} profiles are stored`)
    await machineClock.sleep(POLL_MS)
  }
}

/** Reads profiles through the admin API. Returns how long each took, in milliseconds. */
async function read({ collectorUrl }: Owners, visitorOf: (n: number) => number): Promise<Reads> {
  const reads: Reads = { latencies: [], failed: 0 }
  const headers = { Authorization: `Bearer ${ADMIN_TOKEN}` }
  const schedule = { perSecond: READS_PER_SECOND, seconds: READS / READS_PER_SECOND }
  await openLoop(schedule, async (n, intendedAt) => {
    const url = `${collectorUrl}/v1/admin/sites/${SITE}/profiles/${idOf(visitorOf(n))}`
    const answer = await fetch(url, { headers })
    await answer.arrayBuffer()
    reads.latencies.push(machineClock.now() - intendedAt)
    if (!answer.ok) reads.failed++
  })
  return reads
}

function report(sizes: readonly Sizes[], { hot, cold, again }: Record<'hot' | 'cold' | 'again', Reads>): string {
  const [before, last] = [sizes.at(-2)!, sizes.at(-1)!]
  const slope = (bytes: 'resident' | 'stored') => (last[bytes] - before[bytes]) / (last.profiles - before.profiles)
  const rows = sizes.map(({ profiles, resident, stored }) => [
    whole(profiles),
    whole(resident / MB),
    whole(stored / MB),
    whole(stored / profiles),
  ])
  const times = (name: string, { latencies, failed }: Reads, aim: string) => [
    name,
    milliseconds(percentile(latencies, 0.5)),
    milliseconds(percentile(latencies, 0.99)),
    aim,
    whole(failed),
  ]
  const tenMillion = last.stored + slope('stored') * (10_000_000 - last.profiles)
  return `${whole(last.profiles)} profiles, PROFILES_MEMORY_MB=${BUDGET_MB}, --max-old-space-size=${HEAP_MB} (aim: 512 MB resident for a million):

${markdownTable(['profiles', 'resident MB', 'stored MB', 'stored bytes ÷ profiles'], rows)}

Further profiles take ${whole(slope('resident'))} bytes resident and ${whole(slope('stored'))} bytes in NATS each; ten million are, on
paper, ${whole(tenMillion / MB)} MB in NATS.

${markdownTable(
  ['read at the collector’s door', 'p50 ms', 'p99 ms', 'aim, p99 ms', 'failed'],
  [
    times('hot', hot, '2'),
    times('cold, from NATS', cold, '20'),
    times('cold, others from blocks that NATS has read for these', again, '20'),
  ],
)}`
}

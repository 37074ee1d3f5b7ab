import { type Profile, partitionOf, profilesSubject, streamSubject } from '@slotstream/protocol'
import { createPublisher } from '@slotstream/runtime'
import { publishBacklog } from '../pipeline/backlog.js'
import { createShoppers } from '../pipeline/shoppers.js'
import { machineClock, openLoop } from '../support/open-loop.js'
import { percentile } from '../support/percentile.js'
import { markdownTable, milliseconds, whole } from '../support/table.js'
import { type Owners, SITE, startOwners } from './owner.js'

const EVENTS_PER_SECOND = 2_000
/** Messages of a visitor that come together. */
const TOGETHER = 4
const WARM_UP_SECONDS = 3
const POLL_MS = 50
const DEADLINE_MS = 30 * 60_000

/** Measures from the stream to the state that is answered, at 2,000 events/s, and catching up on a backlog. */
export async function benchLive(seconds: number, backlog: number): Promise<string> {
  const owners = await startOwners()
  try {
    const owner = await owners.owner()
    await owner.ready()
    await send(owners, WARM_UP_SECONDS)
    const latencies = await send(owners, seconds)
    await owner.stop()
    const caughtUp = await catchUp(owners, backlog)
    return `Stream and state:

${markdownTable(
  ['', 'p50 ms', 'p99 ms', 'aim, p99 ms'],
  [
    [
      `in the stream until it is in the profile that is answered, ${whole(EVENTS_PER_SECOND)} events/s`,
      milliseconds(percentile(latencies, 0.5)),
      milliseconds(percentile(latencies, 0.99)),
      '50',
    ],
  ],
)}

Catching up on ${whole(caughtUp.events)} events: ${whole(caughtUp.perSecond)} events/s (aim: 30,000/s).`
  } finally {
    await owners.stop()
  }
}

/**
 * Sends for some seconds. Returns how long each visitor's messages took, from the stream's answer on, in milliseconds.
 */
async function send({ nats, installation }: Owners, seconds: number): Promise<number[]> {
  const { partitions } = installation
  const publisher = createPublisher(nats)
  const shoppers = createShoppers(Date.now())
  const latencies: number[] = []
  await openLoop({ perSecond: EVENTS_PER_SECOND / TOGETHER, seconds }, async () => {
    const { messages, ...envelope } = shoppers.envelope(SITE, Date.now())
    const { visitorId } = envelope
    const partition = partitionOf(SITE, visitorId, partitions)
    const body = JSON.stringify({ ...envelope, messages: messages.slice(0, TOGETHER) })
    const { seq } = await publisher.publish(streamSubject('events', partition), body)
    const begun = machineClock.now()
    const request = JSON.stringify({ siteId: SITE, visitorIds: [visitorId] })
    for (;;) {
      const answer = await nats.connection.request(profilesSubject(partition), request, { timeout: 10_000 })
      const [profile] = answer.json<{ profiles: (Profile | null)[] }>().profiles
      if (profile && profile.seq >= seq) break
    }
    latencies.push(machineClock.now() - begun)
  })
  publisher.close()
  return latencies
}

async function catchUp(owners: Owners, backlog: number): Promise<{ events: number; perSecond: number }> {
  const { nats, installation } = owners
  const events = await publishBacklog({ nats, partitions: installation.partitions }, backlog, 3)
  const owner = await owners.owner()
  const applied = () => owner.metric('profiles_messages_total')
  const first = await until(applied, count => count > 0)
  const last = await until(applied, count => count >= events)
  await owner.stop()
  return { events: last.count, perSecond: ((last.count - first.count) * 1_000) / (last.at - first.at) }
}

async function until(
  read: () => Promise<number>,
  isReached: (count: number) => boolean,
): Promise<{ at: number; count: number }> {
  const deadline = machineClock.now() + DEADLINE_MS
  for (;;) {
    const count = await read()
    const at = machineClock.now()
    if (isReached(count)) return { at, count }
    if (at > deadline) throw new Error(`the owner is at ${count} events after ${DEADLINE_MS / 60_000} minutes`)
    await machineClock.sleep(POLL_MS)
  }
}

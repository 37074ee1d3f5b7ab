import { type EventEnvelope, type Profile, partitionOf, profileKey, type StoredMessage } from '@slotstream/protocol'
import { connectNats, createLog, createMetrics, createPublisher, provision, sharedSettings } from '@slotstream/runtime'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { rebuildProfiles } from '#aggregator/commands/rebuild/rebuild-profiles.js'
import { type Profiles, startProfiles } from '#aggregator/profiles/role.js'
import { startNatsServer } from '../support/nats-server.js'
import { profilesOfStream } from '../support/profiles-of-stream.js'
import { someIdentity } from '../support/some-identity.js'
import { until } from '../support/until.js'

const log = createLog('test')
log.level = 'silent'

const DAY_MS = 24 * 3600_000

let server: Awaited<ReturnType<typeof startNatsServer>>
let parts: Awaited<ReturnType<typeof start>>
let profiles: Profiles
/** How far the clock of the role is ahead, in milliseconds. */
let ahead = 0
const now = () => Date.now() + ahead

async function start() {
  const nats = await connectNats(server.url, 'test', log)
  const installation = await provision(nats, sharedSettings({ PARTITIONS: '4' }), log)
  return { nats, installation, publisher: createPublisher(nats), metrics: createMetrics(), log }
}

beforeAll(async () => {
  server = await startNatsServer()
  parts = await start()
})
afterAll(async () => {
  parts?.publisher.close()
  await parts?.nats.close()
  await server?.stop()
})
beforeEach(async () => {
  ahead = 0
  profiles = await startProfiles({ ...parts, identity: someIdentity(), now, everyMs: 100 })
})
afterEach(() => profiles?.stop())

let made = 0

/** A message as it would be received when the role's clock says `now`. */
async function receive(visitorId: string, fields: Partial<StoredMessage> = {}) {
  const { partitions } = parts.installation
  const receivedAt = new Date(now()).toISOString()
  const properties = { category: 'boots' }
  const message: StoredMessage = {
    ...{ messageId: `m${++made}`, type: 'track', event: 'Product Viewed', anonymousId: visitorId, properties },
    timestamp: receivedAt,
    ...fields,
  }
  const partition = partitionOf('shop', visitorId, partitions)
  const envelope: EventEnvelope = { siteId: 'shop', visitorId, receivedAt, messages: [message] }
  const { seq } = await parts.nats.js.publish(`events.${partition}`, JSON.stringify(envelope))
  await until(
    'it counts',
    () => profiles.waitFor(partition, seq, 1_000),
    counts => counts,
  )
  await until(
    'it is stored',
    () => entryOf(visitorId),
    entry => entry?.operation === 'PUT' && entry.json<Profile>().seq >= seq,
  )
}

const keyOf = (visitorId: string) =>
  profileKey(parts.installation.privacy.keyed, { siteId: 'shop', visitorId }, parts.installation.partitions)

async function entryOf(visitorId: string) {
  return parts.installation.buckets.profiles.get(keyOf(visitorId))
}

async function leaves(visitorId: string) {
  await until(
    'it has left the store',
    () => entryOf(visitorId),
    entry => entry?.operation !== 'PUT',
  )
  await until(
    'it has left the memory',
    () => profiles.profileOf('shop', visitorId),
    profile => profile === undefined,
  )
}

describe('a profile of a single anonymous visit', () => {
  it('leaves memory and store after 30 days, and no other does', async () => {
    const later = new Date(Date.now() + 2 * 3600_000).toISOString()
    await receive('single')
    await receive('known', { userId: 'bob' })
    await receive('twice')
    await receive('twice', { timestamp: later })
    ahead = 29 * DAY_MS
    await receive('young')
    ahead = 31 * DAY_MS
    await leaves('single')
    for (const visitorId of ['known', 'twice', 'young'])
      expect((await entryOf(visitorId))?.json<Profile>()).toMatchObject({ visitorId })
    // The mark by which ClickHouse learns of it leaves as well.
    await until(
      'its mark is erased',
      () => entryOf('single'),
      entry => entry === null,
    )
    expect(await parts.metrics.registry.metrics()).toMatch(/slotstream_profiles_ended_total [1-9]/)
  })

  it('begins anew when its visitor comes back, whether it was removed by then or not, as a replay does', async () => {
    await receive('removed')
    await receive('kept')
    await profiles.stop()
    // Its days are over, and no message came.
    ahead = 31 * DAY_MS
    profiles = await startProfiles({ ...parts, identity: someIdentity(), now, everyMs: 3600_000 })
    await receive('kept')
    await profiles.stop()
    profiles = await startProfiles({ ...parts, identity: someIdentity(), now, everyMs: 100 })
    await leaves('removed')
    await receive('removed')
    const replayed = await profilesOfStream(parts.nats, parts.installation)
    for (const visitorId of ['removed', 'kept']) {
      const stored = (await entryOf(visitorId))!.json<Profile>()
      expect(stored).toEqual(replayed.get(keyOf(visitorId)))
      expect(stored).toMatchObject({ events: 1, sessions: 1 })
      expect(stored.firstSeen > new Date(Date.now() + 30 * DAY_MS).toISOString()).toBe(true)
    }
  })

  it('stays away after a rebuild from the stream', async () => {
    await receive('gone')
    await receive('staying', { userId: 'ann' })
    ahead = 31 * DAY_MS
    await leaves('gone')
    const generation = await rebuildProfiles({ ...parts, print: () => {}, now })
    const rebuilt = await parts.nats.kvm.open(`profiles_${generation}`)
    expect((await rebuilt.get(keyOf('gone')))?.operation).not.toBe('PUT')
    expect((await rebuilt.get(keyOf('staying')))?.operation).toBe('PUT')
  })

  it('stays when the setting says never', async () => {
    await profiles.stop()
    profiles = await startProfiles({ ...parts, identity: someIdentity(), now, everyMs: 50, anonymousDays: 0 })
    await receive('for-ever')
    ahead = 1_000 * DAY_MS
    await receive('for-ever')
    const profile = await profiles.profileOf('shop', 'for-ever')
    expect(profile?.events).toBe(2)
  })
})

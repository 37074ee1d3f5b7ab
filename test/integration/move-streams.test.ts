import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type EventEnvelope, type Profile, partitionOf, profilesBucket, streamSubject } from '@slotstream/protocol'
import { createLog, createPublisher, type Installation, provision, sharedSettings } from '@slotstream/runtime'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { rebuild } from '#aggregator/commands/rebuild/rebuild.js'
import { moveStreams } from '#aggregator/commands/streams/move-streams.js'
import { createProfileStore } from '#aggregator/profiles/store/profile-store.js'
import { SPECS } from '#aggregator/warehouse/tables/specs.js'
import { type Aggregator, isEven, startAggregator } from '../support/aggregator.js'
import { putSite, startBroker } from '../support/collector.js'
import { profilesOfStream } from '../support/profiles-of-stream.js'
import { createSender } from '../support/sender.js'
import { until } from '../support/until.js'
import { type ClickHouse, startClickHouse } from './warehouse-world.js'

const PARTITIONS = 8
/** What the warehouse loads as long as there is one stream of each kind. */
const KINDS = Object.keys(SPECS).length
const COMMAND = fileURLToPath(new URL('../../aggregator/dist/commands/streams/main.js', import.meta.url))

const log = createLog('test')
log.level = 'silent'

let clickhouse: ClickHouse
let broker: Awaited<ReturnType<typeof startBroker>>
const running: Aggregator[] = []

beforeAll(async () => {
  clickhouse = await startClickHouse()
})
afterAll(() => clickhouse?.stop())
beforeEach(async () => {
  broker = await startBroker()
})
afterEach(async () => {
  await Promise.all(running.splice(0).map(each => each.end('SIGKILL')))
  await broker?.stop()
})

/** As an operator gives the command; resolves to what it says. */
async function streams(...args: string[]): Promise<string> {
  const env = { PATH: process.env.PATH, NATS_URL: broker.url }
  const { stdout } = await promisify(execFile)(process.execPath, [COMMAND, ...args], { env })
  return stdout
}

async function startAggregators(count: number): Promise<void> {
  const { url, username, password } = clickhouse.account
  const env = { NATS_URL: broker.url, CLICKHOUSE_URL: url, CLICKHOUSE_USER: username, CLICKHOUSE_PASSWORD: password }
  for (let i = 0; i < count; i++) running.push(await startAggregator(env))
}

/** Waits until all aggregators have begun anew and share a number of streams of the warehouse. */
function untilShared(resources: number): Promise<unknown> {
  return until(
    `${resources} streams are shared`,
    () =>
      Promise.all([...running.map(each => each.share('warehouse')), ...running.map(each => each.share('profiles'))]),
    shares => isEven(shares.slice(0, running.length), resources) && isEven(shares.slice(running.length), PARTITIONS),
  )
}

const installationNow = () => provision(broker.nats, sharedSettings({}), log)

async function storedProfiles({ generation }: Pick<Installation, 'generation'>): Promise<Map<string, Profile>> {
  const bucket = await broker.nats.kvm.open(profilesBucket(generation))
  const found = new Map<string, Profile>()
  for await (const key of await bucket.keys()) found.set(key, (await bucket.get(key))!.json<Profile>())
  return found
}

async function rows(sql: string): Promise<number[]> {
  const result = await clickhouse.client.query({ query: sql, format: 'JSONCompactEachRow' })
  return (await result.json<unknown[]>())[0]!.map(Number)
}

describe('another number of streams', () => {
  it('takes over while events arrive: each counts once, in order, and rebuilds see all of them', async () => {
    const collectorUrl = await broker.collector()
    await putSite(collectorUrl, 'shop')
    await startAggregators(2)
    await untilShared(KINDS)
    const sender = createSender(collectorUrl, 'shop')
    const sending = sender.send({ eventsPerSecond: 200, batchSize: 5, visitors: 12 })
    const arrived = (more: number) => {
      const before = sender.acknowledged().size
      return until(
        `${more} more are acknowledged`,
        async () => sender.acknowledged().size,
        size => size >= before + more,
      )
    }

    await arrived(100)
    const said = await streams('events', '3')
    expect(said).toContain('EVENTS: nothing is taken until what is there has been read')
    expect(said).toMatch(/EVENTS_1, EVENTS_2, EVENTS_3: these take events from message \d+ on/)
    await untilShared(KINDS + 3)
    await arrived(100)
    expect(await streams('events', '2')).toContain('EVENTS_4, EVENTS_5: these take events')
    expect(await streams('decisions', '2')).toContain('DECISIONS_1, DECISIONS_2: these take decisions')
    expect(await streams('events', '2')).toContain('there are 2 streams of events already')
    await untilShared(KINDS + 7)
    await arrived(100)
    sender.stop()
    await sending

    const shown = await streams()
    expect(shown).toMatch(/^EVENTS: retired, \d+ messages/)
    expect(shown).toMatch(/EVENTS_4: partitions 0 to 3, \d+ messages.*\nEVENTS_5: partitions 4 to 7, [1-9]/)

    const sent = sender.acknowledged().size
    expect(
      await until(
        'all are in the table',
        () =>
          rows(
            'SELECT count(), uniqExact(message_id), uniqExact(intDiv(stream_seq, 8796093022208)) FROM slotstream.events',
          ),
        ([count = 0]) => count >= sent,
      ),
    ).toEqual([sent, sent, 6])

    const installation = await installationNow()
    const { nats } = broker
    const expected = await profilesOfStream(nats, installation)
    await until(
      'all profiles are stored',
      () => storedProfiles(installation),
      found => [...expected].every(([key, { seq }]) => found.get(key)?.seq === seq),
    )
    expect(await storedProfiles(installation)).toEqual(expected)

    const publisher = createPublisher(nats)
    const parts = { nats, publisher, installation, log, print: () => {}, clickhouse: clickhouse.client }
    const ofNoTime = (profiles: Map<string, Profile>) =>
      new Map([...profiles].map(([key, { seq: _, recent: _recent, ...profile }]) => [key, profile]))
    await rebuild({ from: 'stream', only: ['profiles'] }, parts)
    expect(await storedProfiles({ generation: 1 })).toEqual(expected)
    // As when what it has is too old.
    await nats.manager.streams.purge('EVENTS')
    await expect(rebuild({ from: 'stream', only: ['profiles'] }, parts)).rejects.toThrow('the stream EVENTS begins at')
    await rebuild({ from: 'events', only: ['profiles'] }, parts)
    expect(ofNoTime(await storedProfiles({ generation: 2 }))).toEqual(ofNoTime(expected))
    // Or when an operator deletes it.
    await nats.manager.streams.delete('EVENTS')
    await rebuild({ from: 'events', only: ['profiles'] }, { ...parts, installation: await installationNow() })
    expect(ofNoTime(await storedProfiles({ generation: 3 }))).toEqual(ofNoTime(expected))
    publisher.close()
  })

  it('changes nothing when the old ones are not read to their end', async () => {
    const { nats, installation } = broker
    const publisher = createPublisher(nats)
    const subject = streamSubject('events', partitionOf('shop', 'v', PARTITIONS))
    const envelope: EventEnvelope = {
      siteId: 'shop',
      visitorId: 'v',
      receivedAt: new Date().toISOString(),
      messages: [],
    }
    await publisher.publish(subject, JSON.stringify(envelope))
    const checkpoints = createProfileStore(nats, publisher, installation, log)
    const parts = { nats, installation, checkpoints, readMs: 300, print: () => {} }
    const moving = moveStreams({ kind: 'events', count: 2 }, parts)
    const refused = until(
      'messages are rejected meanwhile',
      () => publisher.publish(subject, JSON.stringify(envelope)).catch(error => error as Error),
      answer => answer instanceof Error && answer.message.includes('JetStream rejected'),
    )
    await expect(moving).rejects.toThrow(/does a process with that role run\? Nothing was changed/)
    await refused
    await publisher.publish(subject, JSON.stringify(envelope))
    expect((await installationNow()).streams.events.map(({ name }) => name)).toEqual(['EVENTS'])
    expect(await nats.manager.streams.names().next()).not.toContain('EVENTS_1')
    await expect(moveStreams({ kind: 'events', count: 9 }, parts)).rejects.toThrow('there are 8 partitions to share')
    publisher.close()
  })
})

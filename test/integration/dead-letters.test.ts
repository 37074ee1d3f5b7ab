import { type EventEnvelope, partitionOf } from '@slotstream/protocol'
import {
  connectNats,
  createDeadLetters,
  createLog,
  createMetrics,
  createPublisher,
  provision,
  sharedSettings,
} from '@slotstream/runtime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { handleLetters } from '#aggregator/commands/dead-letters/handle-letters.js'
import { openLetters } from '#aggregator/commands/dead-letters/letters.js'
import { startProfiles } from '#aggregator/profiles/role.js'
import { startNatsServer } from '../support/nats-server.js'
import { someIdentity } from '../support/some-identity.js'
import { until } from '../support/until.js'
import { type ClickHouse, createWorld, startClickHouse, stored } from './warehouse-world.js'

const log = createLog('test')
log.level = 'silent'

const SITE = 'shop'
const VISITOR = 'v1'

function envelope(timestamp: string): string {
  const messages = [
    { messageId: `m-${timestamp}`, type: 'track' as const, event: 'Seen', anonymousId: VISITOR, timestamp },
  ]
  return JSON.stringify({ siteId: SITE, visitorId: VISITOR, receivedAt: timestamp, messages } satisfies EventEnvelope)
}

describe('messages that the profiles role cannot process', () => {
  let server: Awaited<ReturnType<typeof startNatsServer>>
  let parts: Awaited<ReturnType<typeof start>>

  async function start() {
    const nats = await connectNats(server.url, 'test', log)
    const installation = await provision(nats, sharedSettings({}), log)
    const publisher = createPublisher(nats)
    return { nats, installation, publisher, metrics: createMetrics(), log }
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

  it('are kept, hold up nobody, and can be replayed and dropped', async () => {
    const { nats, installation, publisher, metrics } = parts
    const subject = `events.${partitionOf(SITE, VISITOR, installation.partitions)}`
    const profiles = await startProfiles({ ...parts, identity: someIdentity() })
    await nats.js.publish(subject, 'not JSON')
    await nats.js.publish(subject, envelope('yesterday'))
    const { seq } = await nats.js.publish(subject, envelope('2026-01-01T00:00:01.000Z'))
    const partition = partitionOf(SITE, VISITOR, installation.partitions)
    // At once it says no: it has yet to begin with the partition.
    await until(
      'it counts',
      () => profiles.waitFor(partition, seq, 1_000),
      counts => counts,
    )
    expect((await profiles.profileOf(SITE, VISITOR))?.events).toBe(1)

    const letters = openLetters(nats, publisher)
    const inOrder = async () => (await letters.all()).sort((a, b) => a.seq - b.seq)
    const all = await inOrder()
    expect(all).toMatchObject([
      { role: 'profiles', stream: 'EVENTS', seq: 1, subject, payload: 'not JSON', error: 'the message is not JSON' },
      { seq: 2, error: 'the message has no usable timestamp', attempts: 1, version: expect.stringMatching(/^\d/) },
    ])
    expect(await metrics.registry.metrics()).toContain('slotstream_dead_letters_total{role="profiles"} 2')

    const said: string[] = []
    await handleLetters({ do: 'list' }, letters, line => said.push(line))
    expect(said.join('\n')).toContain('the message has no usable timestamp')
    // Still broken, it comes back as a letter of its own; twice at once, it is published once.
    const before = (await nats.manager.streams.info('EVENTS')).state.last_seq
    await Promise.all([letters.replay(all[0]!), letters.replay(all[0]!)])
    expect((await nats.manager.streams.info('EVENTS')).state.last_seq).toBe(before + 1)
    const now = await until('the letter comes back', inOrder, list => list.length === 2)
    expect(now.map(letter => letter.seq)).toEqual([2, before + 1])
    await handleLetters({ do: 'drop', numbers: now.map(({ number }) => number) }, letters, () => {})
    expect(await letters.all()).toEqual([])
    await expect(handleLetters({ do: 'drop', numbers: [77] }, letters, () => {})).rejects.toThrow(
      'there is no dead letter 77',
    )
    await profiles.stop()
  })

  it('are one letter, however often they fail', async () => {
    const storeDeadLetter = createDeadLetters({ ...parts, role: 'profiles' })
    const letters = openLetters(parts.nats, parts.publisher)
    for (let i = 0; i < 3; i++) {
      await storeDeadLetter('EVENTS', 2, new Error(`failed ${i}`))
      // Another subject in between, as if the window in which the broker knows ids were over.
      await parts.nats.manager.streams.update('DEAD_LETTERS', { duplicate_window: 100 * 1_000_000 })
      await new Promise(resolve => setTimeout(resolve, 200))
    }
    expect(await letters.all()).toMatchObject([{ seq: 2, error: 'failed 2' }])
  })
})

describe('messages that the warehouse role can make no rows of', () => {
  let clickhouse: ClickHouse
  beforeAll(async () => {
    clickhouse = await startClickHouse()
  })
  afterAll(() => clickhouse?.stop())

  it('are dead letters, and the rest of the block is loaded', async () => {
    const world = await createWorld(clickhouse)
    try {
      world.load()
      await world.nats.js.publish('events.0', 'not json')
      await world.nats.js.publish('events.0', Uint8Array.of(0xff))
      await world.publish([stored()])
      const letters = openLetters(world.nats, world.publisher)
      await until(
        'the row',
        () => world.number('SELECT count() FROM slotstream.events'),
        n => n === 1,
      )
      expect(await letters.all()).toMatchObject([
        { role: 'warehouse', stream: 'EVENTS', seq: 1, payload: 'not json', encoding: 'text' },
        { role: 'warehouse', seq: 2, encoding: 'base64' },
      ])
    } finally {
      await world.stop()
    }
  })
})

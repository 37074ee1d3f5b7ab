import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client'
import type { PersonJob } from '@slotstream/protocol'
import { connectNats, createLog, createPublisher, type Nats, provision, sharedSettings } from '@slotstream/runtime'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createProfileStore } from '#aggregator/profiles/store/profile-store.js'
import { StoreConflict } from '#aggregator/profiles/store/store-conflict.js'
import { readWhole } from '#runtime/nats/streams/read-whole.js'
import { startNatsServer } from '../support/nats-server.js'
import { scanEverything } from '../support/scan-everything.js'
import { type System, startSystem } from '../support/system.js'
import { until } from '../support/until.js'

const log = createLog('test')
log.level = 'silent'

let server: Awaited<ReturnType<typeof startNatsServer>>
let nats: Nats

beforeAll(async () => {
  server = await startNatsServer()
  nats = await connectNats(server.url, 'test', log)
  await nats.manager.streams.add({ name: 'FLOODED', subjects: ['flooded.*'] })
  await nats.manager.streams.add({ name: 'REPLACED', subjects: ['replaced.*'], max_msgs_per_subject: 1 })
})
afterAll(async () => {
  await nats?.close()
  await server?.stop()
})

describe('reading a stream once, as deletions and exports do', () => {
  it.each([
    ['to which messages keep coming', 'flooded.1'],
    ['whose messages are replaced all the time', 'replaced.1'],
  ])(
    'ends in a stream %s',
    async (_name, subject) => {
      let isFlooding = true
      const flood = (async () => {
        while (isFlooding)
          await Promise.all(Array.from({ length: 20 }, () => nats.js.publish(subject, 'x'.repeat(500))))
      })()
      try {
        for (let round = 0; round < 10; round++) {
          const { last_seq } = (await nats.manager.streams.info(subject === 'flooded.1' ? 'FLOODED' : 'REPLACED')).state
          const seen: number[] = []
          for await (const message of readWhole(nats, subject === 'flooded.1' ? 'FLOODED' : 'REPLACED', log)) {
            seen.push(message.seq)
            // What a reader does with a message takes a while.
            if (round % 2 && message.seq % 50 === 0) await pause(2)
          }
          if (subject === 'flooded.1') expect(seen.filter(seq => seq <= last_seq)).toHaveLength(last_seq)
        }
      } finally {
        isFlooding = false
        await flood
      }
    },
    60_000,
  )
})

describe('the profile of a visitor who is deleted', () => {
  it('leaves neither itself nor a mark when the sweep of ended profiles removes it at the same moment', async () => {
    const installation = await provision(nats, sharedSettings({ PARTITIONS: '4' }), log)
    const publisher = createPublisher(nats)
    const store = createProfileStore(nats, publisher, installation, log)
    const long = '2026-01-01T00:00:00.000Z'
    const blank = {
      sessions: 1,
      session: null,
      events: 1,
      affinities: {},
      affinitiesAt: long,
      traits: {},
      segments: [],
    }
    const sweep = async (visitorId: string, revision: number) => {
      const profile = { ...blank, siteId: 'shop', visitorId, anonymousId: visitorId, userId: '', firstSeen: long }
      await store.remove({ ...profile, lastSeen: long, seq: 1, recent: [] }, revision).catch(error => {
        if (!(error instanceof StoreConflict)) throw error
      })
    }
    const erase = async (visitorId: string): Promise<void> => {
      // A step of a deletion that fails is done again.
      await store.eraseProfile({ siteId: 'shop', visitorId }, Date.now()).catch(() => erase(visitorId))
    }
    const visitors = Array.from({ length: 100 }, () => randomUUID())
    await Promise.all(
      visitors.map(async visitorId => {
        const profile = { ...blank, siteId: 'shop', visitorId, anonymousId: visitorId, userId: '', firstSeen: long }
        const revision = await store.write({ ...profile, lastSeen: long, seq: 1, recent: [] })
        await Promise.all([erase(visitorId), sweep(visitorId, revision)])
      }),
    )
    publisher.close()
    const { state } = await nats.manager.streams.info('KV_profiles')
    expect(state.messages).toBe(0)
    expect(state.last_seq).toBeGreaterThanOrEqual(visitors.length)
  })
})

describe('a person whose browser keeps sending while the person is deleted', () => {
  const user = `user-${randomUUID()}`
  const browser = `browser-${randomUUID()}`
  const OLD = `old-${randomUUID()}`
  const NEW = `new-${randomUUID()}`
  let system: System
  let lake: string
  let operator: Nats
  let clickhouse: ClickHouseClient

  beforeAll(async () => {
    lake = await mkdtemp(join(tmpdir(), 'slotstream-lake-'))
    system = await startSystem({ LAKE_DIR: lake, LAKE_EVERY_S: '1' })
    operator = await connectNats(system.natsUrl, 'test', log)
    clickhouse = createClient({
      url: system.clickhouseUrl,
      username: 'slotstream',
      password: system.clickhousePassword(),
      log: { level: ClickHouseLogLevel.OFF },
    })
  }, 180_000)
  afterAll(async () => {
    await clickhouse?.close()
    await operator?.close()
    await system?.stop()
    if (lake) await rm(lake, { recursive: true, force: true })
  })

  let marker = OLD
  const batch = () =>
    Array.from({ length: 20 }, (_, n) => ({
      messageId: randomUUID(),
      ...{ type: 'track', event: 'Product Viewed', anonymousId: browser, ...(n % 2 ? { userId: user } : {}) },
      ...{ timestamp: new Date().toISOString(), properties: { product_id: marker, category: 'boots' } },
    }))

  async function send(messages: object[]) {
    const body = JSON.stringify({ batch: messages, sentAt: new Date().toISOString() })
    const response = await fetch(`${system.collectorUrl}/v1/batch?writeKey=demo`, { method: 'POST', body })
    return (await response.json()) as { accepted: number; rejected: { code: string }[] }
  }

  const found = async (needle: string) => {
    const places = new Set<string>()
    const folders = [join(system.dataDir, 'logs')]
    for await (const { place, text } of scanEverything({ nats: operator, clickhouse, folders, lake }))
      if (text.includes(needle)) places.add(place)
    return [...places].sort()
  }

  it('nothing from before is left when the job is done, and all that came since is there', async () => {
    let accepted = 0
    const between = new Set<number>()
    let isFlooding = true
    let last: object[] = []
    const flood = async (flooder: number) => {
      while (isFlooding) {
        const sent = marker
        const messages = batch()
        if (sent === OLD) last = messages
        const answer = await send(messages)
        if (sent === NEW) accepted += answer.accepted
        if (sent === 'between') between.add(flooder)
        await pause(50)
      }
    }
    const floods = [flood(1), flood(2)]
    onTestFinished(() => {
      isFlooding = false
    })
    await until(
      'the lake has some',
      () => found(OLD),
      places => places.includes('lake events') && places.includes('table events'),
      { timeoutMs: 60_000, everyMs: 500 },
    )
    // What was on its way when the deletion began may be from before or after it.
    marker = 'between'
    await until(
      'all from before has been answered',
      () => between.size,
      flooders => flooders === 2,
    )
    const { jobId } = (await system.admin('DELETE', `/sites/demo/people/${user}`)) as { jobId: string }
    marker = NEW
    const job = (await until(
      'the job',
      () => system.admin('GET', `/jobs/${jobId}`),
      answer => (answer as PersonJob).state !== 'running',
      { timeoutMs: 280_000, everyMs: 200 },
    )) as PersonJob
    expect(job.state, JSON.stringify(job)).toBe('done')
    isFlooding = false
    await Promise.all(floods)

    const late = await send(last)
    expect(late).toMatchObject({ accepted: 0, rejected: last.map(() => ({ code: 'person_deleted' })) })
    await until(
      'the rows since',
      () =>
        system.query<{ n: number }>(
          `SELECT count() AS n FROM slotstream.events WHERE toString(properties.product_id) = '${NEW}'`,
        ),
      rows => rows[0]!.n === accepted,
      { timeoutMs: 60_000 },
    )
    expect(await found(OLD)).toEqual([])
    const profile = (await system.admin('GET', `/sites/demo/profiles/${browser}`)) as { firstSeen: string }
    expect(profile.firstSeen > job.before).toBe(true)
  }, 400_000)
})

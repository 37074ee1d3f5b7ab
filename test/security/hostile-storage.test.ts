import { BUCKETS, partitionOf, STREAMS, type StreamKind } from '@slotstream/protocol'
import { connectNats, createLog, type Nats } from '@slotstream/runtime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { profileKeysOf } from '../support/profile-keys.js'
import { type System, startSystem } from '../support/system.js'
import { until } from '../support/until.js'
import { GOOD, hostileEntries, hostileMessages } from './hostile-values.js'

const log = createLog('test')
log.level = 'silent'

const KINDS = Object.keys(STREAMS) as StreamKind[]
const TABLES = {
  events: 'events',
  decisions: 'decisions',
  signals: 'signals',
  rejected: 'rejected_events',
  deliveries: 'webhook_deliveries',
  learning: 'learning_outcomes',
}

let system: System
let nats: Nats
let partition: number
let profileKey: string
let sent = 0

beforeAll(async () => {
  system = await startSystem()
  nats = await connectNats(system.natsUrl, 'test', log)
  const meta = await nats.kvm.open(BUCKETS.meta)
  const { partitions } = (await meta.get('installation'))!.json<{ partitions: number }>()
  partition = partitionOf('demo', 'hostile', partitions)
  profileKey = (await profileKeysOf(nats))('demo', 'hostile')
})
afterAll(async () => {
  await nats?.close()
  await system?.stop()
})

/** Sends an event and asks for a slot: resolves when both are rows, and the event counts for the visitor. */
async function everythingWorks(writeKey = 'demo', siteId = 'demo') {
  const messageId = `good-${++sent}`
  const anonymousId = `visitor-${sent}`
  const properties = { category: 'boots' }
  const body = {
    anonymousId,
    slots: [{ id: 'hero' }],
    batch: [{ messageId, type: 'track', event: 'Product Viewed', anonymousId, properties }],
  }
  const answer = await until(
    'a slot is answered',
    async () => {
      const response = await fetch(`${system.collectorUrl}/v1/slots?writeKey=${writeKey}`, {
        method: 'POST',
        body: JSON.stringify(body),
      })
      return (await response.json()) as { decisions?: { outcome: string; decisionId: string }[] }
    },
    ({ decisions }) => decisions !== undefined && !['timeout', 'unavailable'].includes(decisions[0]!.outcome),
    { timeoutMs: 60_000, everyMs: 500 },
  )
  const { decisionId } = answer.decisions![0]!
  const count = async (sql: string) => Number((await system.query<{ n: number }>(`SELECT count() AS n ${sql}`))[0]!.n)
  const whose = `FROM slotstream.events WHERE site_id = '${siteId}' AND message_id = '${messageId}'`
  await until(
    'the event is a row',
    () => count(whose),
    n => n === 1,
    { timeoutMs: 60_000 },
  )
  await until(
    'the decision is a row',
    () => count(`FROM slotstream.decisions WHERE decision_id = '${decisionId}'`),
    n => n === 1,
    { timeoutMs: 60_000 },
  )
  await until(
    'the profile is a row',
    () => count(`FROM slotstream.profiles WHERE site_id = '${siteId}' AND anonymous_id = '${anonymousId}'`),
    n => n === 1,
    { timeoutMs: 60_000 },
  )
}

/** Writes whatever is there. */
async function put(bucket: string, key: string, value: string) {
  await nats.js.publish(`$KV.${bucket}.${key}`, value)
}

async function layout(): Promise<object> {
  return (await (await nats.kvm.open(BUCKETS.meta)).get('installation'))!.json<object>()
}

async function skipped(url: string): Promise<string[]> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return [...text.matchAll(/^slotstream_bucket_entries_skipped_total\{bucket="(\w+)"\} [1-9]/gm)].map(
    ([, name]) => name!,
  )
}

describe('what foreign programs put into streams', () => {
  it('becomes a dead letter, and the rest goes on', async () => {
    for (const kind of KINDS) {
      const subject = `${STREAMS[kind].subject}.${partition}`
      await Promise.all(hostileMessages(kind).map(message => nats.js.publish(subject, message)))
      // One that fits comes after them.
      await nats.js.publish(subject, JSON.stringify(GOOD[kind]))
    }
    await nats.js.publish('dead.warehouse.EVENTS.1-1', 'not a letter')
    await everythingWorks()
    for (const kind of KINDS)
      await until(
        `rows of ${kind}`,
        () =>
          system.query<{ n: number }>(
            `SELECT count() AS n FROM slotstream.${TABLES[kind]} WHERE received_at < '2026-01-02'`,
          ),
        ([row]) => Number(row!.n) > 0,
        { timeoutMs: 60_000 },
      )
    const { state } = await nats.manager.streams.info('DEAD_LETTERS', { subjects_filter: '>' })
    const subjects = Object.keys(state.subjects ?? {})
    for (const kind of KINDS) {
      const letters = subjects.filter(subject => subject.startsWith(`dead.warehouse.${STREAMS[kind].name}.`))
      // Most of them; what is only odd, such as an unknown name, is a row.
      expect(letters.length).toBeGreaterThan(hostileMessages(kind).length / 2)
    }
    expect(subjects.some(subject => subject.startsWith('dead.profiles.EVENTS.'))).toBe(true)
    const status = (await system.admin('GET', '/pipeline')) as { behind: { role: string; messages: number }[] }
    expect(status.behind.map(({ role }) => role)).toEqual(expect.arrayContaining(['profiles', 'warehouse']))
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })
})

describe('what foreign programs put into buckets', () => {
  it('is skipped, counted, and stops no later change', async () => {
    for (const [bucket, keys] of Object.entries(hostileEntries(partition, profileKey, await layout())))
      for (const { key, values } of keys) for (const value of values) await put(bucket, key, value)
    await system.admin('PUT', '/sites/later', { writeKeys: ['later-key'], allowedOrigins: ['*'] })
    await system.admin('PUT', '/sites/later/slots/hero', { policy: { type: 'random' } })
    await system.admin('PUT', '/sites/later/content/c', { slots: ['hero'], category: 'boots' })
    await everythingWorks('later-key', 'later')
    await everythingWorks()
    expect(await skipped(system.collectorUrl)).toEqual(expect.arrayContaining(['sites', 'plans']))
    expect(await skipped(system.aggregatorUrl)).toEqual(
      expect.arrayContaining(['catalog', 'item_models', 'leases', 'meta', 'sites']),
    )
    expect(await system.admin('GET', '/sites/demo/catalog')).toBeTruthy()
    expect(await system.admin('GET', '/sites/demo/catalog/history')).toEqual(expect.any(Array))
    expect(await system.admin('PUT', '/sites/demo/content/more', { slots: [] })).toMatchObject({ id: 'more' })
    for (const kind of ['features', 'patterns', 'segments'])
      expect(await system.admin('GET', `/sites/demo/${kind}`)).toMatchObject({ [kind]: expect.any(Array) })
  })

  it('keeps no part from starting again', async () => {
    const worst = hostileEntries(partition, profileKey, await layout())
    // Nothing writes over these until a part starts: each value in turn would take minutes, so these are the ones whose
    // kinds differ.
    for (const value of ['null', 'not JSON', '{}', '{"first":"1","last":null,"seq":-1,"owner":7,"partitions":"8"}']) {
      for (const part of ['aggregator', 'warehouse', 'collector'] as const) await system.kill(part)
      for (const [bucket, keys] of Object.entries(worst)) for (const { key } of keys) await put(bucket, key, value)
      await everythingWorks()
      await everythingWorks('later-key', 'later')
    }
    const rows = await system.query('SELECT message_id FROM slotstream.events GROUP BY ALL HAVING count() > 1')
    expect(rows.filter(row => String((row as { message_id: string }).message_id).startsWith('good-'))).toEqual([])
    expect(await layout()).toMatchObject({ partitions: expect.any(Number) })
  })
})

import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Learned } from '@slotstream/core'
import {
  type ContentAmounts,
  contentFill,
  contentsRecordId,
  keyToken,
  type LearningEnvelope,
  learningRecordId,
  streamSubject,
} from '@slotstream/protocol'
import { bucketKeys, createLog, createPublisher, provision, sharedSettings } from '@slotstream/runtime'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { importLog } from '#aggregator/commands/learning/import-log.js'
import { createImports } from '#aggregator/commands/learning/imports.js'
import { removeImport } from '#aggregator/commands/learning/remove-import.js'
import { rebuild } from '#aggregator/commands/rebuild/rebuild.js'
import { createRandom } from '../chaos/random.js'
import { type Aggregator, startAggregator } from '../support/aggregator.js'
import { startBroker } from '../support/collector.js'
import { foldEnvelopes, readSnapshot, sumsOf, totalsOf } from '../support/learned.js'
import { until } from '../support/until.js'
import { type ClickHouse, startClickHouse } from './warehouse-world.js'

const PARTITIONS = 4
const LAYOUT = { PARTITIONS: String(PARTITIONS) }
const HOUR = 3_600_000

const log = createLog('test')
log.level = 'silent'

const LAMPS = { id: 'lamps', slots: ['hero'], category: 'home', payload: {} }

/** A line of a log of decisions, an hour apart: of three, two showed lamps, and every other one of those earned 1. */
const dsjsonLine = (n: number) =>
  JSON.stringify({
    _label_cost: n % 3 !== 0 && n % 2 === 0 ? -1 : 0,
    Timestamp: new Date(Date.UTC(2019, 0, 1) + n * HOUR).toISOString(),
    a: [n % 3 === 0 ? 1 : 2, n % 3 === 0 ? 2 : 1],
    p: [0.5, 0.5],
    c: { User: { plan: n % 2 ? 'pro' : 'free' }, _multi: [{ id: 'tents' }, { id: 'lamps' }] },
  })

let broker: Awaited<ReturnType<typeof startBroker>>
let clickhouse: ClickHouse
let aggregator: Aggregator
const random = createRandom(30)
const sequences = Array.from({ length: PARTITIONS }, () => 0)
/** All that was published and not taken away again, each once. */
let all: { partition: number; envelope: LearningEnvelope }[] = []
let rows = 0

beforeAll(async () => {
  ;[broker, clickhouse] = await Promise.all([startBroker(LAYOUT), startClickHouse()])
  aggregator = await start()
})
afterAll(async () => {
  await aggregator?.end('SIGKILL')
  await broker?.stop()
  await clickhouse?.stop()
})

function start(): Promise<Aggregator> {
  const { url, username, password } = clickhouse.account
  const server = { CLICKHOUSE_URL: url, CLICKHOUSE_USER: username, CLICKHOUSE_PASSWORD: password }
  const env = { ...LAYOUT, ...server, LEARNING_SNAPSHOT_S: '1', AGGREGATOR_NAME: 'one' }
  return startAggregator({ NATS_URL: broker.url, ...env })
}

/** Publishes views of the last days, and what they earned, with segments and features, a message each. */
async function publish(count: number): Promise<void> {
  const { int, pick } = random
  const fresh = Array.from({ length: count }, (_, index) => {
    const partition = index % PARTITIONS
    const seq = ++sequences[partition]!
    const at = Date.now() - int(0, 40 * 24 * HOUR)
    const view = { decisionId: `d${seq}`, slotId: pick(['hero', 'side']), contentId: pick(['a', 'b', 'c']) }
    const more = { position: int(1, 9), at, segments: pick([[], ['rich'], ['rich', 'old']]), features: [3, 1, 7, -2] }
    const reward = int(-3, 5) * 1_234
    const [former, stratum] = [int(1, 7), int(1, 7)]
    const envelope: LearningEnvelope = {
      ...{ siteId: 'shop', visitorId: 'v', anonymousId: `v${index}`, receivedAt: new Date().toISOString() },
      ...{ seq, stored: Math.max(0, seq - 20) },
      records: [
        { ...view, ...more, reward: 1_234, stratum: former },
        { ...view, ...more, reward, previous: 1_234, previousStratum: former, ...(reward !== 0 && { stratum }) },
      ],
    }
    return { partition, envelope }
  })
  all.push(...fresh)
  rows += 2 * count
  await send(fresh)
}

async function send(messages: typeof all): Promise<void> {
  for (const { partition, envelope } of messages)
    await broker.nats.js.publish(streamSubject('learning', partition), JSON.stringify(envelope))
}

const untilLoaded = () =>
  until(
    `${rows} rows`,
    async () => {
      const query = 'SELECT toUInt32(count()) AS n FROM slotstream.learning_outcomes'
      const [row] = await (await clickhouse.client.query({ query, format: 'JSONEachRow' })).json<{ n: number }>()
      return row?.n
    },
    n => n === rows,
  )

/** The stored models have the sums of all that was published, in integers. */
const untilSums = () =>
  until(
    'the models are those of all messages',
    async () => {
      const snapshot = await readSnapshot(broker)
      const folded = foldEnvelopes(all)
      const at = Date.now()
      return snapshot && JSON.stringify(sumsOf(snapshot.learned, at)) === JSON.stringify(sumsOf(folded, at))
    },
    isSame => isSame === true,
    { timeoutMs: 60_000 },
  )

async function rebuildModels(): Promise<string[]> {
  const said: string[] = []
  const publisher = createPublisher(broker.nats)
  const installation = await provision(broker.nats, sharedSettings(LAYOUT), log)
  const parts = { nats: broker.nats, publisher, installation, log, print: (line: string) => said.push(line) }
  await rebuild({ from: 'events', only: ['models'] }, { ...parts, clickhouse: clickhouse.client } as never)
  publisher.close()
  return said
}

async function loseSnapshot(): Promise<void> {
  const { learning } = broker.installation.buckets
  for (const key of await bucketKeys(learning, '>')) await learning.purge(key)
}

it('models that were lost are those of before, in integers, while messages go on coming', async () => {
  await publish(200)
  await untilLoaded()
  await untilSums()
  // One was taken away; its rows have not left the table yet.
  const gone = all[3]!
  const { records, receivedAt, seq } = gone.envelope
  for (const [index, record] of records.entries()) {
    const removal = `${learningRecordId(gone.partition, { seq }, index)}@${Date.parse(receivedAt)}`
    await send([{ partition: gone.partition, envelope: { ...gone.envelope, removal, removes: 4, records: [record] } }])
  }
  all = all.filter(each => each !== gone)
  await untilSums()

  expect(await rebuildModels()).toEqual([`models: ${rows - 2} steps of 2 slots, rebuilt from learning_outcomes`])
  await untilSums()
  const where = `anonymous_id = '${gone.envelope.anonymousId}'`
  await clickhouse.client.command({ query: `DELETE FROM slotstream.learning_outcomes WHERE ${where}` })
  rows -= 2
  await untilLoaded()

  // What learned from the rest of the stream alone stores that.
  await broker.nats.manager.streams.purge('LEARNING')
  await loseSnapshot()
  await aggregator.end('SIGKILL')
  aggregator = await start()
  await publish(8)
  await until(
    'a snapshot is stored again',
    () => readSnapshot(broker),
    found => found !== undefined,
  )
  await untilLoaded()
  expect(await rebuildModels()).toEqual([`models: ${rows} steps of 2 slots, rebuilt from learning_outcomes`])
  await untilSums()
  // What was told is not told again, and what comes counts, in the process that had learned from the rest alone.
  await send(all.slice(-4))
  await publish(12)
  await untilSums()
})

it('models begin with what a log says: once, until it is removed without a trace, also when they are rebuilt', async () => {
  const { catalog, meta } = broker.installation.buckets
  await catalog.put('shop.slot.hero', JSON.stringify({ id: 'hero', count: 1, holdout: 0 }))
  await catalog.put(`shop.content.${keyToken('lamps')}`, JSON.stringify(LAMPS))
  const path = join(await mkdtemp(join(tmpdir(), 'slotstream-log-')), 'old.json')
  const lines = Array.from({ length: 900 }, (_, n) => dsjsonLine(n))
  await writeFile(path, lines.join('\n'))
  const order = { do: 'import', site: 'shop', slot: 'hero', log: path, name: 'old', keepTimes: false } as const
  const said: string[] = []
  const publisher = createPublisher(broker.nats)
  const parts = {
    nats: broker.nats,
    publisher,
    installation: broker.installation,
    print: (line: string) => said.push(line),
  }
  const totalOf = async (id: string) => totalsOf((await readSnapshot(broker))!.learned)[`shop hero ${id}`]

  await importLog(order, parts)
  await importLog(order, parts)
  // As after a command that was cut short at its end.
  const imports = createImports(meta)
  const { stored, revision } = await imports.read('shop', 'old')
  await imports.write('shop', { ...stored!, state: 'adding' }, revision)
  await importLog(order, parts)
  await until(
    'it is learned from',
    () => totalOf('lamps'),
    total => total?.views === 600,
  )
  expect(await totalOf('lamps')).toEqual({ views: 600, reward: 300 * 10_000 })
  expect(await totalOf('tents')).toEqual({ views: 300, reward: 0 })
  expect(said).toEqual([
    'old: slot hero learns from 900 items shown, within seconds',
    'old: slot hero has learned from it already',
    'old: slot hero learns from 900 items shown, within seconds',
  ])
  await expect(importLog({ ...order, name: 'again' }, parts)).rejects.toThrow('from this log already, as old')
  await expect(importLog({ ...order, slot: 'none' }, parts)).rejects.toThrow('has no slot none')
  rows += 900
  await untilLoaded()

  // A rebuild has it, and no person is in it.
  const before = (await readSnapshot(broker))!.learned
  await rebuildModels()
  const after = (await readSnapshot(broker))!.learned
  const at = Date.now()
  expect(sumsOf(after, at)).toEqual(sumsOf(before, at))
  const [row] = await (
    await clickhouse.client.query({
      query: `SELECT toUInt32(uniqExact(anonymous_id, user_id)) AS persons, toUInt32(countIf(notEmpty(features))) AS n
              FROM slotstream.learning_outcomes WHERE startsWith(record_id, 'import-')`,
      format: 'JSONEachRow',
    })
  ).json<{ persons: number; n: number }>()
  expect(row).toEqual({ persons: 1, n: 900 })

  const remove = () => removeImport('shop', 'old', { ...parts, clickhouse: clickhouse.client, cluster: '' })
  const command = (query: string) => clickhouse.client.command({ query })
  await command('CREATE TABLE slotstream.backup AS slotstream.learning_outcomes ENGINE = MergeTree ORDER BY stream_seq')
  await command(`INSERT INTO slotstream.backup SELECT * FROM slotstream.learning_outcomes
                 WHERE startsWith(record_id, 'import-')`)
  const restore = () => command('INSERT INTO slotstream.learning_outcomes SELECT * FROM slotstream.backup')
  await remove()
  rows -= 900
  await untilLoaded()
  await untilSums()
  await expect(remove()).rejects.toThrow('has learned from no log old')
  // A backup, or the lake, brings its rows back.
  await restore()
  const told = '900 rows of imported logs that were removed'
  expect(await rebuildModels()).toContainEqual(expect.stringContaining(told))
  await untilLoaded()
  await untilSums()
  await importLog(order, parts)
  await until(
    'it is learned from again',
    () => totalOf('lamps'),
    total => total?.views === 600,
  )
  rows += 900
  await untilLoaded()
  // Also those of the earlier import, of which the later one has the name.
  await restore()
  expect(await rebuildModels()).toContainEqual(expect.stringContaining(told))
  await untilLoaded()
  expect((await totalOf('lamps'))?.views).toBe(600)
  await remove()
  rows -= 900
  await command('DROP TABLE slotstream.backup')
  await untilSums()
  publisher.close()
})

it('models are those of before after the stream was lost as well, and counts from 1 again', async () => {
  await untilLoaded()
  await aggregator.end()
  await broker.nats.manager.streams.delete('LEARNING')
  await loseSnapshot()
  sequences.fill(0)
  await rebuildModels()
  aggregator = await start()
  await untilSums()
  await publish(20)
  await untilSums()
})

it('features of content are those of what the stream has, fills among it, without what was taken away', async () => {
  // Beyond all that the table has.
  sequences.fill(1_000)
  const told = Array.from({ length: 24 }, (_, index) => {
    const partition = index % PARTITIONS
    // Those behind the first ones are fills, which count their envelopes themselves.
    const numbers = index < 12 ? { seq: ++sequences[partition]! } : { seq: 7 * index, batch: contentFill('v2', 90) }
    const amounts: ContentAmounts['amounts'] = [['v2', 0, 0, 1_000_000 + index]]
    const envelope: LearningEnvelope = {
      ...{ siteId: 'media', visitorId: `m${index}`, anonymousId: `m${index}`, receivedAt: new Date().toISOString() },
      ...{ ...numbers, stored: 0, records: [], contents: [{ contentId: `c${index % 3}`, slotId: '', amounts }] },
    }
    return { partition, envelope }
  })
  await send([...told, ...told])
  for (const { partition, envelope } of [told[1]!, told[14]!]) {
    const removal = `${contentsRecordId(partition, envelope)}@${Date.parse(envelope.receivedAt)}`
    await send([{ partition, envelope: { ...envelope, batch: undefined, seq: 0, removal, removes: 1 } as never }])
  }
  const linesOf = (learned: Learned) => sumsOf(learned, Date.now()).filter(line => line.includes('media'))
  const expected = linesOf(foldEnvelopes(told.filter((_, index) => index !== 1 && index !== 14)))
  expect(expected).toHaveLength(3)
  const untilContents = () =>
    until(
      'they are in the snapshot',
      async () => linesOf((await readSnapshot(broker))!.learned),
      lines => JSON.stringify(lines) === JSON.stringify(expected),
    )
  await untilContents()
  await publish(4)
  await untilLoaded()
  await rebuildModels()
  await untilContents()
  // What was told is not told again.
  await send(told.slice(2, 14))
  await publish(4)
  const { state } = await broker.nats.manager.streams.info('LEARNING')
  await until(
    'all of it is in the snapshot',
    () => readSnapshot(broker),
    snapshot => (snapshot?.positions.LEARNING ?? 0) >= state.last_seq,
  )
  await untilContents()
})

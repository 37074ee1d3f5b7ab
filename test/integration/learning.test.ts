import { type LearningEnvelope, type LearningRecord, streamSubject } from '@slotstream/protocol'
import { bucketKeys } from '@slotstream/runtime'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Aggregator, startAggregator } from '../support/aggregator.js'
import { startBroker } from '../support/collector.js'
import { foldStreams, readSnapshot, sumsOf, totalsOf } from '../support/learned.js'
import { until } from '../support/until.js'

const PARTITIONS = 4

let broker: Awaited<ReturnType<typeof startBroker>>
let aggregator: Aggregator | undefined
const sequences = Array.from({ length: PARTITIONS }, () => 0)

beforeAll(async () => {
  broker = await startBroker({ PARTITIONS: String(PARTITIONS) })
})
afterAll(async () => {
  await broker?.stop()
})
afterEach(async () => {
  await aggregator?.end('SIGKILL')
})

async function start(env: NodeJS.ProcessEnv = {}): Promise<Aggregator> {
  aggregator = await startAggregator({
    NATS_URL: broker.url,
    ROLES: 'profiles,decisions',
    AGGREGATOR_NAME: 'one',
    LEARNING_SNAPSHOT_S: '1',
    ...env,
  })
  const started = aggregator
  await until(
    'it is up to date',
    () => started.missing().catch(String),
    text => text.includes('ready'),
  )
  return started
}

/** Publishes what views and clicks teach, a message each; resolves to the envelopes. */
async function publish(count: number, changes: Partial<LearningRecord> = {}): Promise<LearningEnvelope[]> {
  const envelopes = Array.from({ length: count }, (_, index): LearningEnvelope => {
    const partition = index % PARTITIONS
    const seq = ++sequences[partition]!
    const record = { decisionId: `d${index}`, slotId: 'hero', position: 1, at: Date.now(), segments: ['rich'] }
    return {
      ...{ siteId: 'shop', visitorId: 'v', anonymousId: 'v', receivedAt: new Date().toISOString() },
      ...{ seq, stored: Math.max(0, seq - 20) },
      records: [
        { ...record, contentId: 'ab'[index % 2]!, reward: 10_000 * (index % 2), features: [3, 1, 7, -2], ...changes },
      ],
    }
  })
  await send(envelopes)
  return envelopes
}

async function send(envelopes: readonly LearningEnvelope[]): Promise<void> {
  await Promise.all(
    envelopes.map((envelope, index) =>
      broker.nats.js.publish(streamSubject('learning', index % PARTITIONS), JSON.stringify(envelope)),
    ),
  )
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${aggregator!.url}/metrics`)).text()
  return Number(new RegExp(`^slotstream_${name} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN)
}

const snapshotOf = async (records: number) =>
  until(
    `a snapshot has ${records} views`,
    async () => readSnapshot(broker),
    found => found !== undefined && viewsIn(found.learned) === records,
  )

function viewsIn(learned: Parameters<typeof totalsOf>[0]): number {
  return Object.values(totalsOf(learned)).reduce((sum, { views }) => sum + views, 0)
}

/** The sums of the snapshot are those of the streams from their beginning. */
async function expectSameSums(): Promise<void> {
  const [snapshot, folded] = [await readSnapshot(broker), await foldStreams(broker)]
  const at = Date.now()
  expect(sumsOf(snapshot!.learned, at)).toEqual(sumsOf(folded, at))
}

describe('what policies learn', () => {
  it('survives kills: sums are those of the stream from its beginning', async () => {
    await start()
    const first = await publish(400)
    await until(
      'models are made',
      () => metric('learning_models'),
      count => count === 1,
    )
    await snapshotOf(400)
    await publish(100)
    await aggregator!.end('SIGKILL')
    // Told again after a crash, also what another process declared to be told.
    await send(first.slice(-60))
    await publish(100)
    await start()
    const removed = { removal: 'deletion-1', records: first.slice(0, 4).flatMap(({ records }) => records) }
    await send([{ ...first[0]!, ...removed }])
    await send([{ ...first[0]!, ...removed }])
    await aggregator!.end('SIGKILL')
    await start()
    // By the end of the process everything is stored.
    await publish(50)
    await until(
      'all is learned from',
      () => metric('learning_models'),
      count => count === 1,
    )
    await snapshotOf(646)
    expect(await aggregator!.end()).toBe(0)
    await expectSameSums()
    expect(totalsOf((await readSnapshot(broker))!.learned)).toEqual({
      'shop hero a': { views: 323, reward: 0 },
      'shop hero b': { views: 323, reward: 3_230_000 },
    })
  })

  it('keeps one snapshot, and begins with the stream where it is damaged', async () => {
    const keys = await bucketKeys(broker.installation.buckets.learning, '>')
    expect(keys.filter(key => key.startsWith('chunk.'))).toHaveLength(1)
    expect(keys).toHaveLength(2)
    const chunk = keys.find(key => key.startsWith('chunk.'))!
    await broker.installation.buckets.learning.put(chunk, new Uint8Array(100))
    const { output } = await start()
    expect(output()).toContain('is not whole')
    await publish(10)
    await snapshotOf(656)
    await aggregator!.end()
    await expectSameSums()
    // What is no manifest counts as none.
    await broker.installation.buckets.learning.put('manifest', '{"version":1}')
    await start()
    await publish(10)
    await snapshotOf(666)
    await aggregator!.end()
    await expectSameSums()
  })

  it('does not end by what cannot be read', async () => {
    const started = await start()
    for (const text of ['', '{', '[]', '{"siteId":"shop"}'])
      await broker.nats.js.publish(streamSubject('learning', 1), text)
    await publish(4, { reward: 2 ** 52 })
    await publish(4)
    await snapshotOf(670)
    expect(await metric('learning_refused_total{reason="unreadable"}')).toBe(4)
    expect(await metric('learning_refused_total{reason="reward"}')).toBe(4)
    expect(started.output().split('learning records were not learned from')).toHaveLength(3)
  })
})

import { type Profile, partitionOf, profilesBucket } from '@slotstream/protocol'
import { createLog, createPublisher } from '@slotstream/runtime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rebuild } from '#aggregator/commands/rebuild/rebuild.js'
import { SPECS } from '#aggregator/warehouse/tables/specs.js'
import { type Aggregator, isEven, startAggregator } from '../support/aggregator.js'
import { putSite, startBroker } from '../support/collector.js'
import { replayedStreams } from '../support/profiles-of-stream.js'
import { createSender } from '../support/sender.js'
import { until } from '../support/until.js'
import { wrongSignals } from '../support/wrong-signals.js'
import { type ClickHouse, startClickHouse } from './warehouse-world.js'

/** As `startBroker` makes it; and what the warehouse loads: each kind from one stream, but for events and decisions. */
const PARTITIONS = 8
const LAYOUT = { EVENTS_STREAMS: '3', DECISIONS_STREAMS: '2' }
const STREAMS = Object.keys(SPECS).length + 2 + 1

const log = createLog('test')
log.level = 'silent'

let broker: Awaited<ReturnType<typeof startBroker>>
let clickhouse: ClickHouse
let collectorUrl: string
const running: Aggregator[] = []

beforeAll(async () => {
  ;[broker, clickhouse] = await Promise.all([startBroker(LAYOUT), startClickHouse()])
  collectorUrl = await broker.collector()
  await putSite(collectorUrl, 'shop', { name: 'Shop', allowedOrigins: ['*'] })
  await broker.installation.buckets.catalog.put(
    'shop.slot.hero',
    JSON.stringify({ id: 'hero', policy: { type: 'random' } }),
  )
  await broker.installation.buckets.catalog.put(
    'shop.content.one',
    JSON.stringify({ id: 'one', slots: ['hero'], payload: { title: 'One' } }),
  )
})

afterAll(async () => {
  await Promise.all(running.map(each => each.end('SIGKILL')))
  await broker?.stop()
  await clickhouse?.stop()
})

async function start(args: string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Aggregator> {
  const { url, username, password } = clickhouse.account
  const started = await startAggregator(
    { NATS_URL: broker.url, CLICKHOUSE_URL: url, CLICKHOUSE_USER: username, CLICKHOUSE_PASSWORD: password, ...env },
    args,
  )
  running.push(started)
  return started
}

async function end(ending: Aggregator, signal: NodeJS.Signals): Promise<number | null> {
  running.splice(running.indexOf(ending), 1)
  return ending.end(signal)
}

/** Waits until the work is shared evenly among some aggregators; says how long that took. */
async function untilShared(what: string, sharing: Aggregator[]): Promise<void> {
  const began = performance.now()
  const shares = (group: 'profiles' | 'warehouse') => Promise.all(sharing.map(each => each.share(group)))
  await until(
    what,
    async () => [await shares('profiles'), await shares('warehouse')] as const,
    ([partitions, streams]) => isEven(partitions, PARTITIONS) && isEven(streams, STREAMS),
  )
  console.log(`${what}: ${Math.round(performance.now() - began)} ms`)
}

/** Visitors of every partition ask for a slot, one after the other, as pages do. */
function askForSlots() {
  let stopped = false
  let gap = 0
  let longest = 0
  let what = ''
  const outcomes: Record<string, number> = {}
  const visitors = Array.from({ length: PARTITIONS }, (_, partition) => {
    for (let n = 0; ; n++) if (partitionOf('shop', `asker-${n}`, PARTITIONS) === partition) return `asker-${n}`
  })
  const done = Promise.all(
    visitors.map(async anonymousId => {
      let lastServed = performance.now()
      while (!stopped) {
        const response = await fetch(`${collectorUrl}/v1/slots?writeKey=shop`, {
          method: 'POST',
          body: JSON.stringify({ anonymousId, slots: [{ id: 'hero' }] }),
          signal: AbortSignal.timeout(10_000),
        })
        const { decisions } = (await response.json()) as { decisions: { outcome: string }[] }
        const outcome = decisions[0]!.outcome
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
        if (outcome === 'served') {
          gap = performance.now() - lastServed
          if (gap > longest) longest = gap
          lastServed = performance.now()
        }
        await new Promise(resolve => setTimeout(resolve, 25))
      }
    }),
  )
  return {
    outcomes,
    /** Says the longest time that a visitor got no content, since the last call. */
    report(name: string) {
      what = `${what}${name}: longest pause ${Math.round(longest)} ms, ${JSON.stringify(outcomes)}\n`
      longest = 0
    },
    async stop() {
      stopped = true
      await done
      console.log(what)
    },
  }
}

describe('aggregators that share partitions and streams', () => {
  it('share evenly as they come, leave, die and wake up, answer for every visitor, and count everything once', async () => {
    const first = await start()
    await untilShared('one holds everything', [first])
    const sender = createSender(collectorUrl, 'shop')
    const sending = sender.send({ eventsPerSecond: 200, batchSize: 5, visitors: 40 })
    const asking = askForSlots()
    const second = await start()
    await untilShared('a second one joins', [first, second])
    asking.report('join')
    const third = await start(['--roles', 'warehouse,profiles,decisions'])
    await untilShared('a third one joins', [first, second, third])
    asking.report('join')

    expect(await end(second, 'SIGTERM')).toBe(0)
    await untilShared('one leaves', [first, third])
    asking.report('leave')
    await end(first, 'SIGKILL')
    await untilShared('one is killed', [third])
    asking.report('crash')

    const fourth = await start()
    await untilShared('another one joins', [third, fourth])
    asking.report('join')
    third.signal('SIGSTOP')
    await untilShared('one is paused', [fourth])
    asking.report('pause')
    third.signal('SIGCONT')
    await untilShared('it goes on', [third, fourth])
    asking.report('resume')

    sender.stop()
    await sending
    await asking.stop()
    expect(asking.outcomes.served).toBeGreaterThan(0)
    expect(
      Object.keys(asking.outcomes).filter(outcome => !['served', 'timeout', 'unavailable'].includes(outcome)),
    ).toEqual([])

    const acknowledged = sender.acknowledged()
    const rows = await until(
      'every acknowledged message is in events',
      () =>
        query<{ message_id: string; n: string }>(
          'SELECT message_id, count() AS n FROM slotstream.events GROUP BY message_id',
        ),
      found => found.length >= acknowledged.size,
      { timeoutMs: 60_000, everyMs: 500 },
    )
    expect(rows.filter(({ n }) => Number(n) !== 1)).toEqual([])
    expect(new Set(rows.map(({ message_id }) => message_id))).toEqual(acknowledged)

    const { profiles: expected, signals } = await replayedStreams(broker.nats, broker.installation)
    expect(expected.size).toBe(40)
    await untilStored(0, expected)
    expect(signals.length).toBeGreaterThan(40)
    await until(
      'every signal is in the table once',
      () => wrongSignals(query, signals),
      wrong => wrong.length === 0,
      { timeoutMs: 60_000, everyMs: 500 },
    )
    const said: string[] = []
    const publisher = createPublisher(broker.nats)
    const { nats, installation } = broker
    const { client } = clickhouse
    await rebuild(
      { from: 'stream' },
      { nats, installation, publisher, log, clickhouse: client, print: said.push.bind(said) },
    )
    publisher.close()
    expect(said.at(-1)).toContain('generation 1 counts now')
    await untilStored(1, expected)
    for (const each of [third, fourth]) expect(await end(each, 'SIGTERM')).toBe(0)
  })

  it('run their roles apart', async () => {
    const warehouse = await start(['--roles', 'warehouse'])
    const deciding = await start(['--roles=profiles,decisions'])
    await until(
      'each has all of its group',
      async () => [
        await warehouse.share('warehouse'),
        await warehouse.share('profiles'),
        await deciding.share('warehouse'),
        await deciding.share('profiles'),
      ],
      counts => JSON.stringify(counts) === JSON.stringify([STREAMS, undefined, undefined, PARTITIONS]),
    )
    for (const each of [warehouse, deciding]) expect(await end(each, 'SIGTERM')).toBe(0)
  })

  it('say what is wrong with the roles asked for', async () => {
    const refused = await start(['--roles', 'batch'], {
      PARITY_SAMPLE: '0',
      REDRAW_SAMPLE: '0',
      ITEM_MODELS_MINUTES: '0',
      EXPERIMENTS_LOOK_S: '0',
    })
    expect(await refused.exited).toBe(1)
    expect(refused.output()).toContain('set LAKE_DIR')
  })
})

async function untilStored(generation: number, expected: Map<string, Profile>): Promise<void> {
  const bucket = await broker.nats.kvm.open(profilesBucket(generation))
  for (const [key, profile] of expected)
    await until(
      `${key} is stored in generation ${generation}`,
      async () => (await bucket.get(key))?.string(),
      text => text === JSON.stringify(profile),
    )
}

async function query<T>(sql: string): Promise<T[]> {
  const result = await clickhouse.client.query({ query: sql, format: 'JSONEachRow' })
  return result.json<T>()
}

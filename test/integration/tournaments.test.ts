import type { AfterLook } from '@slotstream/core'
import { type Experiment, experimentsKey, POSITIONS_PER_STREAM, uuidv7 } from '@slotstream/protocol'
import { createLog, createMetrics } from '@slotstream/runtime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { answer } from '#aggregator/decisions/answer.js'
import { createCatalog } from '#aggregator/decisions/catalog.js'
import { answerResults } from '#aggregator/results/answer-results.js'
import { createTournaments } from '#aggregator/results/tournaments/watch-tournaments.js'
import { keepWatching } from '#aggregator/results/watch/keep-watching.js'
import { experimentRows } from '#aggregator/warehouse/rows/buckets/experiments.js'
import { decisionRows } from '#aggregator/warehouse/rows/decisions.js'
import { migrate, readMigrations } from '#aggregator/warehouse/tables/migrate.js'
import { seededRandom } from '#core/decide/random.js'
import { ADMIN_TOKEN, putSite, startBroker } from '../support/collector.js'
import { someIdentity } from '../support/some-identity.js'
import { until } from '../support/until.js'
import { startClickHouse } from './warehouse-world.js'

const SITE = 'shop'
/** A whole second, since decisions have ids of their milliseconds. */
const BEGIN = Math.floor(Date.now() / 1_000) * 1_000 - 6 * 3_600_000
const SINCE = new Date(BEGIN).toISOString()
const DECISIONS = 4_500
const RATES: Record<string, number> = { a: 0.5, b: 0.3, c: 0.1 }
const SLOT = { id: 'hero', count: 1, holdout: 0, policy: { type: 'random' as const } }

const EXPERIMENT: Experiment = {
  id: 'cup',
  slot: 'hero',
  arms: [
    { id: 'control', share: 0.4 },
    { id: 'best', share: 0.2, policy: { type: 'fixed', contentIds: ['a'] } },
    { id: 'worst', share: 0.2, policy: { type: 'fixed', contentIds: ['c'] } },
    { id: 'same', share: 0.1, policy: { type: 'random' } },
    { id: 'fresh', share: 0.1, policy: { type: 'knn' } },
  ],
  metrics: ['Slot Clicked'],
  tournament: { since: SINCE, clickMinutes: 5 },
}

let clickhouse: Awaited<ReturnType<typeof startClickHouse>>
let broker: Awaited<ReturnType<typeof startBroker>>

const insert = (table: string, values: object[]) =>
  clickhouse.client.insert({ table: `slotstream.${table}`, values, format: 'JSONEachRow' })
const clickHouseTime = (time: number) => new Date(time).toISOString().replace('T', ' ').replace('Z', '')

beforeAll(async () => {
  broker = await startBroker()
  clickhouse = await startClickHouse()
  await migrate(clickhouse.client, await readMigrations())
  const catalog = createCatalog()
  const items: [string, { id: string }][] = [
    ['slot', SLOT],
    ...['a', 'b', 'c'].map((id): [string, { id: string }] => [
      'content',
      { id, slots: ['hero'], category: id, payload: {} } as { id: string },
    ]),
  ]
  for (const [kind, item] of items) catalog.set(`${SITE}.${kind}.${item.id}`, item)
  catalog.setExperiments(SITE, [EXPERIMENT])
  const random = seededRandom('clicks')
  const rows: object[] = []
  const events: object[] = []
  for (let n = 0; n < DECISIONS; n++) {
    const visitorId = `visitor-${n}`
    const now = BEGIN + 1_000 + n * 4_000
    const asked = { siteId: SITE, visitorId, anonymousId: visitorId, slots: [{ id: 'hero' }] }
    const { records } = answer(
      { ...asked, after: 0, deadlineMs: 9, explain: false },
      { profile: undefined },
      { catalog },
      now,
    )
    const envelope = JSON.stringify({
      siteId: SITE,
      visitorId,
      receivedAt: new Date(now).toISOString(),
      decisions: records,
    })
    const message = { seq: n + 1, subject: 'decisions.0', text: envelope, storedAt: SINCE, deleted: false }
    rows.push(...decisionRows(message, n + 1).map(({ line }) => JSON.parse(line) as object))
    const { decisionId, contentIds } = records[0]!
    if (random() < RATES[contentIds[0]!]!) events.push(clickOf(visitorId, decisionId, contentIds[0]!, now + 60_000))
    // Too late to count.
    else events.push(clickOf(visitorId, decisionId, contentIds[0]!, now + 600_000))
  }
  await insert('decisions', rows)
  // A stream that gets no more since the number of streams was changed.
  const former = { ...clickOf('former', '', '', BEGIN - 3_600_000), stream_seq: 7 * POSITIONS_PER_STREAM }
  await insert('events', [...events, clickOf('last', '', '', Date.now()), former])
  await insert(
    'catalog_changes',
    items.map(([kind, item], index) => ({
      site_id: SITE,
      kind,
      id: item.id,
      definition: JSON.stringify(item),
      deleted: false,
      revision: 0,
      stored_at: clickHouseTime(BEGIN - 60_000),
      stream_seq: index + 1,
      batch_index: 0,
    })),
  )
  await broker.installation.buckets.catalog.put(`${SITE}.slot.hero`, JSON.stringify(SLOT))
}, 240_000)
afterAll(async () => {
  await broker?.stop()
  await clickhouse?.stop()
})

function clickOf(visitor: string, decisionId: string, contentId: string, at: number): object {
  return {
    ...{ site_id: SITE, message_id: uuidv7(), type: 'track', event: 'Slot Clicked', anonymous_id: visitor },
    ...{ timestamp: clickHouseTime(at), received_at: clickHouseTime(at), decision_id: decisionId },
    ...{ content_id: contentId, properties: {}, stream_seq: 1 },
  }
}

const key = experimentsKey(SITE)
const put = (experiment: object) =>
  broker.installation.buckets.definitions.put(key, JSON.stringify({ experiments: [experiment] }))
const stored = async () => {
  const entry = (await broker.installation.buckets.definitions.get(key))!
  return { revision: entry.revision, experiment: entry.json<{ experiments: Experiment[] }>().experiments[0]! }
}
const lookOnce = (isOwner: () => Promise<boolean> = async () => true) => {
  const { installation } = broker
  const deps = { installation, clickhouse: clickhouse.client, metrics: createMetrics(), log: createLog('test') }
  return createTournaments(deps)(new AbortController().signal, isOwner)
}

describe('a tournament on the running log', () => {
  it('drops the worse and tries the better one, once, in one of the processes that look', async () => {
    const before = await put(EXPERIMENT)
    const metrics = createMetrics()
    const processes = await Promise.all(
      ['one', 'two'].map(name => {
        const { nats, installation } = broker
        const parts = { nats, installation, clickhouse: clickhouse.account, metrics, log: createLog('test') }
        return keepWatching({ ...parts, experiments: { everyMs: 100 }, identity: someIdentity(name) })
      }),
    )
    const { experiment } = await until('a candidate is tried', stored, ({ revision }) => revision > before)
    expect(experiment.tournament).toMatchObject({ arm: 'best' })
    const steps = experiment.tournament!.steps!
    expect(steps.map(({ arm, step }) => [arm, step])).toEqual([
      ['worst', 'dropped'],
      ['best', 'tried'],
    ])
    expect(steps[1]!.value).toBeCloseTo(0.5, 1)
    expect(steps[1]!.running.value).toBeCloseTo(0.3, 1)
    expect(steps[1]!.low).toBeGreaterThan(steps[1]!.running.high)
    await Promise.all(processes.map(each => each.stop()))
    expect((await stored()).revision).toBe(before + 1)
  })

  it('is told by results, with what the log cannot value, and is in the view', async () => {
    const results = answerResults({
      nats: broker.nats,
      installation: broker.installation,
      server: clickhouse.account,
      log: createLog('test'),
    })
    const url = await broker.collector()
    await putSite(url, SITE)
    const response = await fetch(`${url}/v1/admin/sites/${SITE}/slots/hero/results`, {
      headers: { Authorization: `Bearer ${ADMIN_TOKEN}` },
    })
    const told = (await response.json()) as {
      arms: { id: string }[]
      tournament: { arm: string; steps: object[]; candidates: { name: string; standing: string; refused: object }[] }
    }
    expect(told.arms.map(({ id }) => id)).toEqual(['control', 'best'])
    expect(told.tournament).toMatchObject({ arm: 'best', running: { decisions: DECISIONS }, leftOut: 0 })
    expect(told.tournament.steps).toHaveLength(2)
    const candidates = new Map(told.tournament.candidates.map(each => [each.name, each]))
    expect(candidates.get('same')).toMatchObject({ standing: 'undecided', refused: null })
    expect(candidates.get('fresh')).toMatchObject({ standing: 'unknown', refused: { code: 'unknown_chances' } })
    await results.stop()

    const text = JSON.stringify({ experiments: [(await stored()).experiment] })
    const message = { seq: 1, subject: `$KV.definitions.${key}`, text, storedAt: SINCE, deleted: false }
    await insert(
      'experiment_changes',
      [1, 2].flatMap(seq => experimentRows({ ...message, seq }, seq).map(({ line }) => JSON.parse(line) as object)),
    )
    const rows = await clickhouse.client.query({
      query: `SELECT arm, step, value > running_value AS better, toFloat64(decisions) AS decisions
        FROM slotstream.tournament_steps WHERE site_id = '${SITE}' ORDER BY step`,
      format: 'JSONEachRow',
    })
    expect(await rows.json()).toEqual([
      { arm: 'worst', step: 'dropped', better: 0, decisions: DECISIONS },
      { arm: 'best', step: 'tried', better: 1, decisions: DECISIONS },
    ])
  })

  it('stores nothing once another process has it, and nothing twice', async () => {
    const { revision } = { revision: await put(EXPERIMENT) }
    await lookOnce(async () => false)
    expect((await stored()).revision).toBe(revision)
    await lookOnce()
    const after = await stored()
    expect(after.revision).toBe(revision + 1)
    await lookOnce()
    expect(await stored()).toEqual(after)
    // Taken back, it has had its step.
    const { arm: _arm, ...rules } = after.experiment.tournament!
    const back = await put({ ...after.experiment, tournament: rules })
    await lookOnce()
    expect((await stored()).revision).toBe(back)
  })

  it('loses against a change of the experiments, or of the slot, that was made while it looked', async () => {
    const { catalog } = broker.installation.buckets
    await put(EXPERIMENT)
    const changed = { ...EXPERIMENT, group: 'home' }
    let asked = 0
    await lookOnce(async () => {
      if (++asked === 1) await put(changed)
      return true
    })
    expect((await stored()).experiment).toEqual(changed)
    await catalog.put(`${SITE}.slot.hero`, JSON.stringify({ ...SLOT, policy: { type: 'thompson' } }))
    await lookOnce()
    expect((await stored()).experiment).toEqual(changed)
    await catalog.put(`${SITE}.slot.hero`, JSON.stringify(SLOT))
  })

  it('promotes at once where it is told to, and only tells where it is to tell', async () => {
    await put({ ...EXPERIMENT, tournament: { ...EXPERIMENT.tournament, apply: 'tell' } })
    await lookOnce()
    expect((await stored()).experiment.tournament).not.toHaveProperty('steps')
    await put({ ...EXPERIMENT, tournament: { ...EXPERIMENT.tournament, apply: 'promote' } })
    await lookOnce()
    const { stopped, tournament } = (await stored()).experiment as Experiment & AfterLook
    expect(stopped).toMatchObject({
      reason: 'better',
      arm: 'best',
      verdict: expect.stringContaining('"best" is better'),
    })
    expect(tournament!.steps!.at(-1)).toMatchObject({ arm: 'best', step: 'promoted' })
  })
})

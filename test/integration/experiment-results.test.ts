import { isDeepStrictEqual } from 'node:util'
import { type Counted, resultsOf } from '@slotstream/core'
import { experimentsKey, parseStoredExperiments, type ResultsRequest, uuidv7 } from '@slotstream/protocol'
import { createLog, createMetrics } from '@slotstream/runtime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { answer } from '#aggregator/decisions/answer.js'
import { createCatalog } from '#aggregator/decisions/catalog.js'
import { answerResults } from '#aggregator/results/answer-results.js'
import { createDrawAudits } from '#aggregator/results/audits/audit-draws.js'
import { createAuditStore } from '#aggregator/results/audits/audit-store.js'
import { countArms, countTraffic } from '#aggregator/results/count-arms.js'
import { keepWatching } from '#aggregator/results/watch/keep-watching.js'
import { decisionRows } from '#aggregator/warehouse/rows/decisions.js'
import { migrate, readMigrations } from '#aggregator/warehouse/tables/migrate.js'
import { personOfProfile } from '#core/decide/person.js'
import { seededRandom } from '#core/decide/random.js'
import { powerOf } from '#core/experiments/power.js'
import { ADMIN_TOKEN, putSite, startBroker } from '../support/collector.js'
import { someIdentity } from '../support/some-identity.js'
import { until } from '../support/until.js'
import { startClickHouse } from './warehouse-world.js'

const SITE = 'shop'
const NOW = Date.UTC(2026, 5, 10, 12)
const NOW_TEXT = new Date(NOW).toISOString()
const VISITORS = 2_000

let clickhouse: Awaited<ReturnType<typeof startClickHouse>>
let broker: Awaited<ReturnType<typeof startBroker>>

const EXPERIMENT = {
  id: 'first',
  slot: 'hero',
  arms: [
    { id: 'control', share: 0.5 },
    { id: 'calm', share: 0.5, contentIds: ['a'] },
  ],
  metrics: ['Slot Clicked', { event: 'Order Completed', value: 'properties.revenue', windowHours: 24 }],
  guardrails: [{ event: 'Error Shown', worse: 'more' as const }],
}
const request = (more: Partial<ResultsRequest> = {}): ResultsRequest => ({
  siteId: SITE,
  slotId: 'hero',
  from: '2026-06-01T00:00:00Z',
  to: '2026-07-01T00:00:00Z',
  experiment: EXPERIMENT,
  ...more,
})

beforeAll(async () => {
  broker = await startBroker()
  clickhouse = await startClickHouse()
  await migrate(clickhouse.client, await readMigrations())
  const catalog = createCatalog()
  for (const id of ['hero', 'side']) catalog.set(`${SITE}.slot.${id}`, { id, policy: { type: 'random' } })
  catalog.set(`${SITE}.slot.held`, { id: 'held', policy: { type: 'random' }, holdout: 0.5 })
  for (const id of ['a', 'b', 'c']) catalog.set(`${SITE}.content.${id}`, { id, slots: ['hero', 'side', 'held'] })
  catalog.setExperiments(SITE, [EXPERIMENT])
  const rows: string[] = []
  const events: object[] = []
  for (let i = 0; i < VISITORS; i++) {
    const visitorId = `visitor-${i}`
    const asked = ['hero', 'side', 'held'].map(id => ({ id }))
    const asking = {
      siteId: SITE,
      visitorId,
      anonymousId: visitorId,
      slots: asked,
      after: 0,
      deadlineMs: 9,
      explain: false,
    }
    const [hero, side, held] = answer(asking, { profile: undefined }, { catalog }, NOW + i).records
    const again = answer(asking, { profile: undefined }, { catalog }, NOW + 60_000 + i).records[0]!
    const decisions = [hero!, side!, held!, again]
    const envelope = JSON.stringify({ siteId: SITE, visitorId, receivedAt: NOW_TEXT, decisions })
    const message = { seq: i + 1, subject: 'decisions.0', text: envelope, storedAt: NOW_TEXT, deleted: false }
    rows.push(...decisionRows(message, i + 1).map(({ line }) => line))
    const event = (name: string, minutes: number, decisionId = '', properties: object = {}) =>
      events.push({
        site_id: SITE,
        message_id: uuidv7(),
        type: 'track',
        event: name,
        anonymous_id: visitorId,
        timestamp: new Date(NOW + i + minutes * 60_000).toISOString().replace('T', ' ').replace('Z', ''),
        decision_id: decisionId,
        properties,
      })
    // A tenth of the control clicks, twice; of the other arm a fifth; the clicks on another slot are none of theirs.
    if (i % 10 === 0 || (hero!.arm === 'calm' && i % 10 === 1)) {
      event('Slot Clicked', 1, hero!.decisionId)
      event('Slot Clicked', 2, again.decisionId)
    }
    event('Slot Clicked', 1, side!.decisionId)
    if (i % 4 === 0) event('Order Completed', 30, '', { revenue: 10 })
    if (i % 4 === 0) event('Order Completed', -30, '', { revenue: 500 })
    if (i % 4 === 0) event('Order Completed', 60 * 30, '', { revenue: 700 })
    if (hero!.arm === 'calm' && i % 2 === 0) event('Error Shown', 5)
    if (held!.outcome === 'served' && i % 5 === 0) event('Slot Clicked', 3, held!.decisionId)
    if (held!.holdout && i % 10 === 0) event('Slot Clicked', 3, held!.decisionId)
  }
  const insert = (table: string, values: object[]) =>
    clickhouse.client.insert({ table: `slotstream.${table}`, values, format: 'JSONEachRow' })
  await insert(
    'decisions',
    rows.map(line => JSON.parse(line) as object),
  )
  await insert('events', events)
}, 240_000)
afterAll(async () => {
  await broker?.stop()
  await clickhouse?.stop()
})

describe('results', () => {
  it('count each person once, from the first decision on, in the window of the metric', async () => {
    const { counted, sql } = await countArms(clickhouse.client, request())
    const [control, calm] = counted.arms
    expect(control!.metrics[0]!.units + calm!.metrics[0]!.units).toBe(VISITORS)
    expect(control!.decisions).toBe(control!.metrics[0]!.units * 2)
    expect(control!.metrics[0]!.sum / control!.metrics[0]!.units).toBeCloseTo(0.1, 1)
    expect(calm!.metrics[0]!.sum / calm!.metrics[0]!.units).toBeCloseTo(0.2, 1)
    const orders = control!.metrics[1]!
    expect(orders.squares / orders.sum).toBe(10)
    expect(orders.sum + calm!.metrics[1]!.sum).toBe((VISITORS / 4) * 10)
    expect(counted.sampleRatio.ok && counted.propensities.ok && counted.loss.ok).toBe(true)
    const told = resultsOf(EXPERIMENT, counted as Counted)
    expect(told.verdict).toMatch(/^It helps: "calm"/)
    expect(told).toMatchObject({ lift: { arm: 'calm' }, guardrails: [{ event: 'Error Shown' }] })
    expect(sql.arms).toContain("'first'")
    const byHand = await clickhouse.client.query({ query: sql.arms!, format: 'JSONEachRow' })
    expect(await byHand.json()).toHaveLength(2)
  })

  it('count persons who did what is counted before their first decision only', async () => {
    // Every third person sent a click of another slot, an order and an error, and nothing after the decision.
    const early = (column: string) => `cityHash64(${column}) % 3 = 0`
    await clickhouse.client.command({
      query: `INSERT INTO slotstream.decisions SELECT * REPLACE ('early' AS site_id)
        FROM (SELECT * FROM slotstream.decisions WHERE site_id = '${SITE}')`,
    })
    await clickhouse.client.command({
      query: `INSERT INTO slotstream.events SELECT * REPLACE ('early' AS site_id, if(${early('anonymous_id')}, timestamp - INTERVAL 2 DAY, timestamp) AS timestamp)
        FROM (SELECT * FROM slotstream.events WHERE site_id = '${SITE}')`,
    })
    const count = async (query: string) =>
      (await (await clickhouse.client.query({ query, format: 'JSONEachRow' })).json<{ n: number }>())[0]!.n
    const clicks = (arm: string) => `SELECT toFloat64(uniqExact(anonymous_id)) AS n FROM slotstream.events
      WHERE site_id = 'early' AND event = 'Slot Clicked' AND NOT (${early('anonymous_id')})
      AND decision_id IN (SELECT decision_id FROM slotstream.decisions WHERE site_id = 'early' AND slot_id = 'hero' AND arm = '${arm}')`
    const { counted } = await countArms(clickhouse.client, request({ siteId: 'early' }))
    for (const { id, metrics, guardrails, decisions } of counted.arms) {
      const persons = await count(`SELECT toFloat64(uniqExact(anonymous_id)) AS n FROM slotstream.decisions
        WHERE site_id = 'early' AND slot_id = 'hero' AND arm = '${id}'`)
      expect(persons).toBeGreaterThan(VISITORS / 3)
      expect([...metrics, ...guardrails].map(({ units }) => units)).toEqual([persons, persons, persons])
      expect(decisions).toBe(persons * 2)
      expect(metrics[0]!.sum).toBe(await count(clicks(id)))
    }
    const { measured } = await countTraffic(
      clickhouse.client,
      request({ siteId: 'early', experiment: undefined, traffic: 'Slot Clicked' }),
    )
    expect(measured.units).toBe(VISITORS)
    const { counted: held } = await countArms(
      clickhouse.client,
      request({ siteId: 'early', slotId: 'held', experiment: undefined }),
    )
    expect(held.arms.reduce((sum, { metrics }) => sum + metrics[0]!.units, 0)).toBe(VISITORS)
  })

  it('compare those held out with those who were shown what they would have seen', async () => {
    const { experiment: _none, ...rest } = request({ slotId: 'held' })
    const { counted } = await countArms(clickhouse.client, rest)
    const [holdout, shown] = counted.arms
    expect([holdout!.id, shown!.id]).toEqual(['holdout', 'shown'])
    expect(holdout!.metrics[0]!.units + shown!.metrics[0]!.units).toBe(VISITORS)
    expect(counted.sampleRatio.ok).toBe(true)
    expect(resultsOf({ metrics: ['Slot Clicked'] }, counted).lift.value!).toBeGreaterThan(0.5)
  })

  it('flag shares that persons did not get, and a draw that does not fit its chances', async () => {
    const copy = (id: string, change: string, where: string) =>
      clickhouse.client.command({
        query: `INSERT INTO slotstream.decisions SELECT * REPLACE ('${id}' AS site_id, ${change})
          FROM (SELECT * FROM slotstream.decisions WHERE site_id = '${SITE}' AND slot_id = 'hero' AND ${where})`,
      })
    await copy('few', "concat('x', decision_id) AS decision_id", "(arm = 'control' OR cityHash64(person) % 4 != 0)")
    const { counted } = await countArms(clickhouse.client, request({ siteId: 'few' }))
    expect(counted.arms[0]!.metrics[0]!.units).toBeGreaterThan(800)
    expect(counted.sampleRatio.ok).toBe(false)
    expect(counted.propensities.ok).toBe(true)
    // As if the first content had been drawn whatever the lottery said.
    const forged = `CAST(concat('{"draw":', toJSONString(replaceRegexpAll(toString(features.draw), '"drawn":\\\\[\\\\d\\\\]', '"drawn":[0]')), '}'), 'JSON(max_dynamic_paths = 64)') AS features`
    await copy('forged', forged, "arm = 'control'")
    const { counted: audited } = await countArms(clickhouse.client, request({ siteId: 'forged' }))
    expect(audited.propensities.ok).toBe(false)
  })

  it('flag an arm of which more gets lost, and weight its lift; not one of which as much does', async () => {
    const insert = async (site: string, lost: Record<string, number>) => {
      await clickhouse.client.command({
        query: `INSERT INTO slotstream.decisions SELECT * REPLACE ('${site}' AS site_id, [arm] AS content_ids)
          FROM (SELECT * FROM slotstream.decisions WHERE site_id = '${SITE}' AND slot_id = 'hero')`,
      })
      const found = await clickhouse.client.query({
        query: `SELECT anonymous_id, any(arm) AS arm, argMin(decision_id, timestamp) AS decision FROM slotstream.decisions
          WHERE site_id = '${site}' GROUP BY anonymous_id`,
        format: 'JSONEachRow',
      })
      const random = seededRandom(site)
      // Of ten messages the sixth is the click of every other person; the last one always arrives.
      const values = (await found.json<{ anonymous_id: string; arm: string; decision: string }>()).flatMap(
        ({ anonymous_id, arm, decision }, index) =>
          Array.from({ length: 10 }, (_, seq) => ({
            site_id: site,
            message_id: uuidv7(),
            type: 'track',
            event: seq === 5 && index % 2 === 0 ? 'Slot Clicked' : 'Looked',
            anonymous_id,
            timestamp: new Date(NOW + 120_000 + seq).toISOString().replace('T', ' ').replace('Z', ''),
            decision_id: seq === 5 ? decision : '',
            properties: {},
            context: { seq: seq + 1 },
          })).filter((_, seq) => seq === 9 || random() >= lost[arm]!),
      )
      await clickhouse.client.insert({ table: 'slotstream.events', values, format: 'JSONEachRow' })
      const { counted } = await countArms(clickhouse.client, request({ siteId: site }))
      return {
        results: resultsOf(EXPERIMENT, counted),
        raw: resultsOf(EXPERIMENT, { ...counted, loss: { ok: true, difference: 0 } }),
      }
    }
    const { results, raw } = await insert('lossy', { control: 0.02, calm: 0.4 })
    expect(results.loss).toMatchObject({ ok: false, weighted: true, contents: { ok: false } })
    expect(results.verdict).toContain('what policies learn is weighted for it')
    expect(results.loss.difference).toBeCloseTo(0.38 * 0.9, 1)
    expect(raw.lift.high).toBeLessThan(0)
    expect(results.lift.low).toBeLessThan(0)
    expect(results.lift.high).toBeGreaterThan(0)
    expect(results.stop).toBe('loss')
    const clean = await insert('even', { control: 0.2, calm: 0.2 })
    expect(clean.results.loss).toMatchObject({ ok: true, weighted: false, contents: { ok: true } })
  })

  it('end an experiment that has rules, once, in one of the processes that look', async () => {
    const { definitions } = broker.installation.buckets
    const metrics = createMetrics()
    const log = createLog('test')
    const later = { at: 'a later version wrote it' }
    const guarded = { ...EXPERIMENT, stop: { apply: 'promote' }, later }
    const told = { ...EXPERIMENT, id: 'told', slot: 'side', stop: { apply: 'tell' } }
    const key = experimentsKey(SITE)
    const before = await definitions.put(key, JSON.stringify({ experiments: [told, guarded] }))
    const processes = await Promise.all(
      ['one', 'two'].map(name => {
        const { nats, installation } = broker
        const parts = { nats, installation, clickhouse: clickhouse.account, metrics, log }
        return keepWatching({ ...parts, experiments: { everyMs: 100 }, identity: someIdentity(name) })
      }),
    )
    const stored = await until(
      'the experiment has ended',
      async () => (await definitions.get(key))!,
      ({ revision }) => revision > before,
    )
    const { experiments } = stored.json<{ experiments: object[] }>()
    // One arm is better, and more errors came in it.
    expect(experiments).toEqual([
      told,
      {
        ...guarded,
        stopped: { at: expect.any(String), reason: 'guardrail', verdict: expect.stringContaining('It helps') },
      },
    ])
    expect(parseStoredExperiments({ experiments }).ok).toBe(true)
    const count = async (name: string) =>
      (await metrics.registry.getSingleMetric(`slotstream_${name}`)!.get()).values.reduce(
        (sum, { value }) => sum + value,
        0,
      )
    const looks = await count('experiment_looks_total')
    await definitions.put(key, JSON.stringify({ experiments: [{ ...EXPERIMENT, stop: { on: ['loss'] } }] }))
    await until(
      'it is looked at again',
      () => count('experiment_looks_total'),
      now => now > looks + 1,
    )
    expect((await definitions.get(key))!.json<{ experiments: object[] }>().experiments[0]).not.toHaveProperty('stopped')
    expect(await count('experiments_stopped_total')).toBe(1)
    await Promise.all(processes.map(each => each.stop()))
  })

  it('are answered over HTTP, with how long an experiment takes', async () => {
    const log = createLog('test')
    const results = answerResults({
      nats: broker.nats,
      installation: broker.installation,
      server: clickhouse.account,
      log,
    })
    const url = await broker.collector()
    await putSite(url, SITE)
    const ask = async (path: string, body?: object, method = body ? 'PUT' : 'GET') => {
      const headers = { Authorization: `Bearer ${ADMIN_TOKEN}` }
      const sent = body ? { body: JSON.stringify(body) } : {}
      const answered = await fetch(`${url}/v1/admin/sites/${SITE}${path}`, { method, headers, ...sent })
      const told = (await answered.json()) as { sql: Record<string, string> }
      return { status: answered.status, ...told }
    }
    const content = ['a', 'b', 'c'].map(id => ({ id, slots: ['hero'], category: 'x', payload: {} }))
    await ask('/catalog', { slots: [{ id: 'hero', policy: { type: 'random' } }], content }, 'POST')
    const stopped = { at: '2026-06-20T00:00:00Z', reason: 'asked' }
    expect((await ask('/experiments', { experiments: [{ ...EXPERIMENT, stopped }] })).status).toBe(200)
    const period = 'from=2026-06-01T00:00:00Z&to=2026-07-01T00:00:00Z'
    const told = await ask(`/slots/hero/results?${period}`)
    expect(told).toMatchObject({
      status: 200,
      experiment: 'first',
      stopped,
      lift: { arm: 'calm', low: expect.any(Number) },
      guardrails: [{ event: 'Error Shown', ok: false }],
      sampleRatio: { ok: true },
      propensities: { ok: true },
      loss: { ok: true },
      stop: null,
    })
    expect(Object.keys(told.sql)).toEqual(['arms', 'loss', 'contents', 'draws'])
    expect((await ask('/slots/nowhere/results')).status).toBe(404)

    const days = Math.min(366, Math.ceil((Date.now() - NOW) / 86_400_000) + 1)
    const power = await ask(`/slots/hero/power?effect=0.1&days=${days}&shares=0.6,0.4`)
    const { counted } = await countArms(clickhouse.client, request())
    const clicked = counted.arms.reduce((sum, { metrics }) => sum + metrics[0]!.sum, 0)
    expect(power).toMatchObject({
      status: 200,
      days: expect.any(Number),
      baseRate: clicked / VISITORS,
      personsPerDay: VISITORS / days,
      shares: [0.6, 0.4],
      measured: { persons: VISITORS, rewards: clicked, days },
      verdict: expect.stringMatching(/^To find a difference of 10 % in 80 of 100 cases takes about [\d,]+ days/),
    })
    const byHand = await clickhouse.client.query({
      query: power.sql.traffic!,
      format: 'JSONEachRow',
    })
    expect(await byHand.json()).not.toHaveLength(0)
    const amount = await ask(
      `/slots/hero/power?effect=0.1&days=${days}&metric=Order%20Completed&value=properties.revenue`,
    )
    expect(amount).toMatchObject({ status: 200, metric: { value: 'properties.revenue' }, persons: expect.any(Number) })
    // No server sent an order.
    const secret = await ask(`/slots/hero/power?effect=0.1&days=${days}&metric=Order%20Completed&from=secret`)
    expect(secret).toMatchObject({
      days: null,
      metric: { from: 'secret' },
      measured: { persons: VISITORS, rewards: 0 },
    })
    expect(await ask(`/slots/hero/power?effect=0.1&days=1&experiment=first`)).toMatchObject({
      days: null,
      shares: [0.5, 0.5],
    })
    // Days before a slot was first used have no persons.
    await ask('/slots/young', { policy: { type: 'random' } })
    await clickhouse.client.command({
      query: `INSERT INTO slotstream.decisions SELECT * REPLACE ('young' AS slot_id, '' AS experiment, '' AS arm, concat('y', decision_id) AS decision_id,
        now64(3) - toIntervalHour(60) + toIntervalSecond(cityHash64(person) % 3600) AS timestamp)
        FROM (SELECT * FROM slotstream.decisions WHERE site_id = '${SITE}' AND slot_id = 'hero')`,
    })
    expect(await ask('/slots/young/power?effect=0.1&baseRate=0.1')).toMatchObject({
      personsPerDay: VISITORS / 2.5,
      measured: { persons: VISITORS, days: 2.5 },
      verdict: expect.stringMatching(/^To find/),
    })
    expect(await ask('/slots/young/power?effect=0.1&baseRate=0.1&days=7')).toMatchObject({
      personsPerDay: VISITORS / 7,
    })
    for (const wrong of [
      '',
      'effect=x',
      'effect=0',
      'effect=1&shares=1,1',
      'effect=1&value=drop',
      'effect=1&days=0',
      'effect=1&power=2',
      'effect=1&from=public',
    ])
      expect((await ask(`/slots/hero/power?${wrong}`)).status, wrong).toBe(400)
    expect((await ask('/slots/hero/power?effect=1&experiment=none')).status).toBe(404)
    await results.stop()
    // With both numbers given nothing is measured, and no warehouse is needed.
    const given = await ask('/slots/hero/power?effect=0.02&baseRate=0.1&personsPerDay=50000')
    expect(given).toMatchObject({ status: 200, baseRate: 0.1, personsPerDay: 50_000, measured: null, sql: {} })
    const { units, days: needed } = powerOf({ baseRate: 0.1, effect: 0.02, unitsPerDay: 50_000 })
    expect(given).toMatchObject({ persons: units, days: needed })
  })

  it('tell of a draw that was found biased while it was recorded, by an audit that goes on where it was', async () => {
    const { buckets } = broker.installation
    await buckets.sites.put('forged', JSON.stringify({ siteId: 'forged', name: '', writeKeys: [], allowedOrigins: [] }))
    const metrics = createMetrics()
    const log = createLog('test')
    const look = () => {
      const now = () => NOW + 3_600_000
      const deps = { installation: broker.installation, clickhouse: clickhouse.client, metrics, log, now }
      return createDrawAudits(deps)(new AbortController().signal, async () => true)
    }
    const value = async (name: string, labels: object = {}) =>
      (await metrics.registry.getSingleMetric(`slotstream_${name}`)!.get()).values.find(each =>
        isDeepStrictEqual(each.labels, labels),
      )?.value
    await look()
    expect(await value('draws_biased', { site: 'forged', slot: 'hero' })).toBe(1)
    for (const slot of ['hero', 'side', 'held']) expect(await value('draws_biased', { site: SITE, slot })).toBe(0)
    const audited = await value('draws_audited_total')
    expect(audited).toBeGreaterThan(VISITORS * 4)
    const store = createAuditStore(buckets.positions, log)
    const before = await store.readAll()
    expect(before.map(({ versions }) => versions.length).every(count => count > 0)).toBe(true)

    // Nothing new; and once more from the start, as after a crash before the position was stored.
    await look()
    expect(await value('draws_audited_total')).toBe(audited)
    await store.writePositions({})
    await look()
    expect(await value('draws_audited_total')).toBeGreaterThan(audited!)
    const states = (list: typeof before) => list.map(({ slotId, versions }) => [slotId, versions])
    expect(states(await store.readAll()).sort()).toEqual(states(before).sort())

    // The few draws of a minute say nothing by themselves.
    const few = request({ siteId: 'forged', from: NOW_TEXT, to: new Date(NOW + 20).toISOString() })
    expect((await countArms(clickhouse.client, few)).counted.propensities.ok).toBe(true)
    expect((await countArms(clickhouse.client, few, store)).counted.propensities.ok).toBe(false)
    expect((await countArms(clickhouse.client, request(), store)).counted.propensities.ok).toBe(true)

    await buckets.sites.delete('forged')
    await look()
    expect((await store.readAll()).map(({ siteId }) => siteId)).not.toContain('forged')
    expect(await value('draws_biased', { site: 'forged', slot: 'hero' })).toBeUndefined()
  })

  it('take a browser that is called as a user is for another person than the user, in answers and views', async () => {
    const catalog = createCatalog()
    catalog.set('twins.slot.hero', { id: 'hero', policy: { type: 'random' } })
    for (const id of ['a', 'b']) catalog.set(`twins.content.${id}`, { id, slots: ['hero'] })
    catalog.setExperiments('twins', [{ ...EXPERIMENT, arms: [{ id: 'control', share: 1 }] }])
    const user = { ...personOfProfile('user:bob', undefined, NOW), id: 'bob' }
    const askers = [
      { ids: { visitorId: 'bob', anonymousId: 'bob' } },
      { ids: { visitorId: 'user:bob', anonymousId: '', userId: 'bob' } },
      { ids: { visitorId: 'laptop', anonymousId: 'laptop' }, person: user },
      { ids: { visitorId: 'visitor:user:bob', anonymousId: 'user:bob' } },
    ]
    const rows = askers.flatMap(({ ids, person }, index) => {
      const asking = { siteId: 'twins', ...ids, slots: [{ id: 'hero' }], after: 0, deadlineMs: 9, explain: false }
      const { records } = answer(asking, { profile: undefined, person }, { catalog }, NOW + index)
      const text = JSON.stringify({
        siteId: 'twins',
        visitorId: ids.visitorId,
        receivedAt: NOW_TEXT,
        decisions: records,
      })
      const message = { seq: index + 1, subject: 'decisions.0', text, storedAt: NOW_TEXT, deleted: false }
      return decisionRows(message, index + 1).map(({ line }) => JSON.parse(line) as object)
    })
    await clickhouse.client.insert({ table: 'slotstream.decisions', values: rows, format: 'JSONEachRow' })
    const { counted } = await countArms(clickhouse.client, request({ siteId: 'twins' }))
    expect(counted.arms[0]).toMatchObject({ decisions: 4, metrics: [{ units: 3 }, { units: 3 }] })
    for (const view of ['experiments', 'experiment_results']) {
      const query = `SELECT toFloat64(persons) AS persons FROM slotstream.${view} WHERE site_id = 'twins'`
      const found = await clickhouse.client.query({ query, format: 'JSONEachRow' })
      expect(await found.json(), view).toEqual([{ persons: 3 }])
    }
  })

  it('leave out programs in views as in answers, and say so of ghosts', async () => {
    await clickhouse.client.command({
      query: `INSERT INTO slotstream.decisions SELECT * REPLACE ('programs' AS site_id)
        FROM (SELECT * FROM slotstream.decisions WHERE site_id = '${SITE}' AND slot_id IN ('hero', 'held'))`,
    })
    const hurried = Array.from({ length: 120 }, (_, n) => ({
      ...{ site_id: 'programs', message_id: uuidv7(), type: 'page', anonymous_id: 'visitor-3', session_id: 'visit' },
      ...{ timestamp: new Date(NOW + n * 500).toISOString().replace('T', ' ').replace('Z', ''), properties: {} },
    }))
    const crawler = { ...hurried[0], anonymous_id: 'visitor-4', context: { bot: { crawler: 'Googlebot' } } }
    await clickhouse.client.insert({ table: 'slotstream.events', values: [...hurried, crawler], format: 'JSONEachRow' })
    const { counted } = await countArms(clickhouse.client, request({ siteId: 'programs' }))
    const units = counted.arms.reduce((sum, { metrics }) => sum + metrics[0]!.units, 0)
    expect(units).toBe(VISITORS - 2)
    const sums = async (query: string) =>
      (await (await clickhouse.client.query({ query, format: 'JSONEachRow' })).json<{ n: number }>())[0]!.n
    for (const view of ['experiments', 'experiment_results'])
      expect(
        await sums(`SELECT toFloat64(sum(persons)) AS n FROM slotstream.${view} WHERE site_id = 'programs'`),
        view,
      ).toBe(units)
    const programs = `SELECT toFloat64(count()) AS n FROM slotstream.programs WHERE site_id = 'programs'`
    expect(await sums(programs)).toBe(2)
    const ghosts = `SELECT toFloat64(count()) AS n FROM slotstream.ghost_decisions WHERE site_id = 'programs'`
    const [all, ofPrograms] = [await sums(ghosts), await sums(`${ghosts} AND program`)]
    expect(all - ofPrograms).toBe(await sums(`${ghosts} AND anonymous_id NOT IN ('visitor-3', 'visitor-4')`))
  })

  it('are in views, by arm', async () => {
    const rows = async (query: string): Promise<Record<string, never>[]> =>
      (await clickhouse.client.query({ query, format: 'JSONEachRow' })).json<Record<string, never>>()
    const experiments = await rows(`SELECT * FROM slotstream.experiments WHERE site_id = '${SITE}' ORDER BY arm`)
    expect(experiments).toMatchObject([
      { experiment: 'first', slot_id: 'hero', arm: 'calm', shares: [0.5, 0.5] },
      { experiment: 'first', slot_id: 'hero', arm: 'control' },
    ])
    const [calm, control] = await rows(
      `SELECT *, toFloat64(rewards) AS clicks FROM slotstream.experiment_results WHERE site_id = '${SITE}' ORDER BY arm`,
    )
    const { counted } = await countArms(clickhouse.client, request())
    expect(Number(control!.persons)).toBe(counted.arms[0]!.metrics[0]!.units)
    expect(control!.clicks).toBe(counted.arms[0]!.metrics[0]!.sum)
    const { arms } = resultsOf({ metrics: ['Slot Clicked'] }, counted)
    expect(control!.low).toBeCloseTo(arms[0]!.low!, 10)
    expect(calm!.high).toBeCloseTo(arms[1]!.high!, 10)
    const [ghosts = {}] = await rows(
      `SELECT toFloat64(count()) AS all, toFloat64(countIf(clicked)) AS clicks, toFloat64(countIf(length(content_ids) = 1)) AS whole
       FROM slotstream.ghost_decisions WHERE site_id = '${SITE}'`,
    )
    expect(ghosts.all).toBe(ghosts.whole)
    expect(Number(ghosts.clicks) / Number(ghosts.all)).toBeCloseTo(0.1, 1)
  })
})

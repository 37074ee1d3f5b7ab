import { execFile, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text as streamText } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startDecisions, startProfiles } from '@slotstream/aggregator'
import { type Explanation, explainDecision, recompute } from '@slotstream/core'
import {
  type DecideReply,
  type DecideRequest,
  type DecisionEnvelope,
  type DecisionRecord,
  decideSubject,
  type EventEnvelope,
  experimentsKey,
  keyToken,
  POLICY_TYPES,
  partitionOf,
  type StoredMessage,
  streamSubject,
  uuidv7,
} from '@slotstream/protocol'
import { connectNats, createLog, createMetrics, createPublisher, provision, sharedSettings } from '@slotstream/runtime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRedrawJob } from '#aggregator/batch/redraw-job.js'
import { answerContentsThen } from '#aggregator/records/answer-contents-then.js'
import { answerRecords } from '#aggregator/records/answer-records.js'
import { startWarehouse, type Warehouse } from '#aggregator/warehouse/role.js'
import type { ReplayReport } from '#cli/replay/decisions/replay-decisions.js'
import { ADMIN_TOKEN, putSite } from '../support/collector.js'
import { lastEvent } from '../support/last-event.js'
import { startNatsServer } from '../support/nats-server.js'
import { someIdentity } from '../support/some-identity.js'
import { until } from '../support/until.js'
import { startWarehouseCollector } from '../support/warehouse-collector.js'
import { startClickHouse } from './warehouse-world.js'

const SITE = 'shop'

/** A policy of every type, for slots of two positions. */
const POLICIES = ['default', ...POLICY_TYPES].map(type => ({
  type,
  ...(type === 'fixed' && { contentIds: ['r', 'p', 'q'] }),
  ...(type === 'affinity' && { exploration: 0.1 }),
  ...(type === 'ensemble' && { policies: [{ share: 1, policy: { type: 'contextual' } }] }),
}))

const log = createLog('test')
log.level = 'silent'

describe('decisions over a catalog with targeting, caps and campaigns', () => {
  let server: Awaited<ReturnType<typeof startNatsServer>>
  let nats: Awaited<ReturnType<typeof connectNats>>
  let installation: Awaited<ReturnType<typeof provision>>
  let profiles: Awaited<ReturnType<typeof startProfiles>>
  let decisions: Awaited<ReturnType<typeof startDecisions>>
  let metrics: ReturnType<typeof createMetrics>
  let publisher: ReturnType<typeof createPublisher>
  let clickhouse: Awaited<ReturnType<typeof startClickHouse>>
  let warehouse: Warehouse
  let records: ReturnType<typeof answerRecords>
  let contentsThen: ReturnType<typeof answerContentsThen> | undefined
  let collector: Awaited<ReturnType<typeof startWarehouseCollector>>

  beforeAll(async () => {
    const starting = startClickHouse()
    server = await startNatsServer()
    nats = await connectNats(server.url, 'test', log)
    installation = await provision(nats, sharedSettings({}), log)
    await put('slot', 'hero', { policy: { type: 'random' } })
    await put('slot', 'teaser', { policy: { type: 'random' }, count: 2 })
    await put('slot', 'capped', { policy: { type: 'fixed', contentIds: ['offer', 'else'] } })
    await put('slot', 'learns', { policy: { type: 'contextual' }, count: 2 })
    await put('slot', 'held', { policy: { type: 'random' }, holdout: 1 })
    await put('slot', 'many', { policy: { type: 'random' }, count: 2 })
    for (const id of ['one', 'two', 'three']) await put('content', id, { slots: ['hero', 'teaser', 'learns', 'held'] })
    for (const policy of POLICIES)
      await put('slot', `by-${policy.type}`, { count: 2, ...(policy.type !== 'default' && { policy }) })
    const typed = POLICIES.map(({ type }) => `by-${type}`)
    for (const id of ['p', 'q', 'r']) await put('content', id, { category: id, slots: typed })
    for (let n = 10; n < 40; n++) await put('content', `m${n}`, { slots: ['many'] })
    await put('content', 'far', { slots: ['hero'], where: { 'context.country': 'DE' } })
    await put('content', 'sold', { slots: ['hero'], stock: 0 })
    await put('content', 'past', { slots: ['hero'], endsAt: '2020-01-01T00:00:00Z' })
    await put('content', 'offer', { slots: ['capped'], caps: [{ count: 3, per: '24h' }] })
    await put('content', 'else', { slots: ['capped'] })
    metrics = createMetrics()
    publisher = createPublisher(nats)
    const parts = { nats, publisher, installation, metrics, log }
    profiles = await startProfiles({ ...parts, identity: someIdentity() })
    decisions = await startDecisions({ ...parts, profiles })
    await until(
      'the profiles are up to date',
      () => profiles.missing(),
      missing => missing.length === 0,
    )
    clickhouse = await starting
    warehouse = startWarehouse({ ...parts, clickhouse: clickhouse.account, identity: someIdentity() })
    records = answerRecords({ nats, server: clickhouse.account, log })
    contentsThen = answerContentsThen({ nats, server: clickhouse.account, log })
    collector = await startWarehouseCollector({ nats, installation, log })
    for (const site of [SITE, 'other']) await putSite(collector.url, site)
    await until(
      'tables are loaded',
      () => warehouse.missing(),
      missing => missing.length === 0,
    )
    await nats.connection.flush()
  })

  afterAll(async () => {
    await collector?.stop()
    await records?.stop()
    await contentsThen?.stop()
    await warehouse?.stop()
    await clickhouse?.stop()
    await decisions?.stop()
    await profiles?.stop()
    publisher?.close()
    await nats?.close()
    await server?.stop()
  })

  const put = (kind: 'slot' | 'content', id: string, fields: object) =>
    installation.buckets.catalog.put(
      `${SITE}.${kind}.${keyToken(id)}`,
      JSON.stringify({ id, ...(kind === 'content' && { payload: { title: id } }), ...fields }),
    )

  async function ask(
    visitorId: string,
    slots: string[],
    context: Record<string, unknown> = {},
    siteId = SITE,
  ): Promise<DecideReply> {
    const request: DecideRequest = {
      siteId,
      visitorId,
      anonymousId: visitorId,
      slots: slots.map(id => ({ id })),
      context: { sessionId: 's1', ...context },
      after: 0,
      deadlineMs: 5_000,
      explain: true,
    }
    const partition = partitionOf(siteId, visitorId, installation.partitions)
    const body = JSON.stringify(request)
    return (await nats.connection.request(decideSubject(partition), body, { timeout: 10_000 })).json<DecideReply>()
  }

  /** Reads what a stream holds of a visitor, oldest first. */
  async function stored<T extends { visitorId: string }>(stream: string, visitorId: string): Promise<T[]> {
    const { state } = await nats.manager.streams.info(stream)
    const found: T[] = []
    for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
      const envelope = (await nats.manager.streams.getMessage(stream, { seq }))?.json<T>()
      if (envelope?.visitorId === visitorId) found.push(envelope)
    }
    return found
  }

  const recordsOf = async (visitorId: string): Promise<DecisionRecord[]> =>
    (await stored<DecisionEnvelope>('DECISIONS', visitorId)).flatMap(envelope => envelope.decisions)

  /** Publishes a message as a collector does. Resolves when the visitor's profile has it. */
  async function track(visitorId: string, message: Partial<StoredMessage>): Promise<void> {
    const now = new Date().toISOString()
    const messageId = `${visitorId}-${message.event ?? message.type}-${now}`
    const whole = { messageId, type: 'track' as const, anonymousId: visitorId, timestamp: now, ...message }
    const envelope: EventEnvelope = { siteId: SITE, visitorId, receivedAt: now, messages: [whole] }
    const partition = partitionOf(SITE, visitorId, installation.partitions)
    const { seq } = await nats.js.publish(streamSubject('events', partition), JSON.stringify(envelope))
    expect(await profiles.waitFor(partition, seq, 5_000)).toBe(true)
  }

  const shownIn = ({ decisions: all }: DecideReply) => all.map(({ items }) => items.map(({ contentId }) => contentId))

  it('are as the site holds persons out, and as an experiment ended, at once', async () => {
    const { sites, definitions } = installation.buckets
    const site = (await sites.get(SITE))!.json<object>()
    let visitors = 0
    const hero = async () => (await ask(`asked-${++visitors}`, ['hero'])).decisions[0]!
    const isHeldOut = ({ outcome }: { outcome: string }) => outcome === 'holdout'
    await sites.put(SITE, JSON.stringify({ ...site, holdout: { share: 1, tag: 'all' } }))
    await until('all are held out', hero, isHeldOut)
    await sites.put(SITE, JSON.stringify(site))
    await until('nobody is held out', hero, decision => !isHeldOut(decision))
    const arms = [
      { id: 'as-it-is', share: 0.5 },
      { id: 'two', share: 0.5, contentIds: ['two'] },
    ]
    const stopped = { at: '2026-06-01T00:00:00Z', reason: 'better', arm: 'two' }
    const ended = [{ id: 'ended', slot: 'hero', arms, metrics: ['Slot Clicked'], stopped }]
    const key = experimentsKey(SITE)
    await definitions.put(key, JSON.stringify({ experiments: ended }))
    const five = async () => Promise.all(Array.from({ length: 5 }, hero))
    await until('all are shown the better arm', five, all =>
      all.every(({ items }) => items.length === 1 && items[0]!.contentId === 'two'),
    )
    await definitions.delete(key)
    await until('the slot chooses by itself', five, all => all.some(({ items }) => items[0]!.contentId !== 'two'))
  })

  it('shows content to those who meet its condition, none that is sold out or past, and says why', async () => {
    const seen = new Map<string, Set<string>>()
    for (let n = 0; n < 40; n++)
      for (const country of ['DE', 'FR']) {
        const { decisions: all } = await ask(`targeted-${n}`, ['hero'], { country })
        const ofCountry = seen.get(country) ?? new Set()
        seen.set(country, ofCountry.add(all[0]!.items[0]!.contentId))
        const excluded = [
          ...(country === 'FR'
            ? [{ contentId: 'far', reason: 'condition', detail: 'context.country is "FR", wanted "DE"' }]
            : []),
          { contentId: 'past', reason: 'ended' },
          { contentId: 'sold', reason: 'out_of_stock' },
        ]
        if (n === 0) expect(all[0]?.reason?.excluded).toEqual(excluded)
      }
    expect([...seen.get('DE')!].sort()).toEqual(['far', 'one', 'three', 'two'])
    expect([...seen.get('FR')!].sort()).toEqual(['one', 'three', 'two'])
  })

  it('repeats nothing across the slots of a request, whose order counts', async () => {
    for (let n = 0; n < 20; n++) {
      const [hero, teaser, again] = shownIn(await ask(`page-${n}`, ['hero', 'teaser', 'hero'], { country: 'FR' }))
      expect([hero!.length, teaser!.length, again!.length]).toEqual([1, 2, 0])
      expect(new Set([...hero!, ...teaser!]).size).toBe(3)
    }
    const [first, second, third] = await recordsOf('page-0')
    expect(first?.excluded.map(({ reason }) => reason)).not.toContain('repeated')
    expect(second?.excluded).toEqual([{ contentId: first!.contentIds[0], reason: 'repeated' }])
    expect(third).toMatchObject({ outcome: 'empty', contentIds: [] })
  })

  it('shows what has a cap of three three times, one request after the other and at once', async () => {
    const one = []
    for (let n = 0; n < 5; n++) one.push(...shownIn(await ask('patient', ['capped'])).flat())
    expect(one).toEqual(['offer', 'offer', 'offer', 'else', 'else'])
    const records = await recordsOf('patient')
    expect(records.at(-1)?.excluded).toEqual([{ contentId: 'offer', reason: 'capped', detail: '3 of 3 per 24h' }])

    const visitors = Array.from({ length: 10 }, (_, n) => `hasty-${n}`)
    await Promise.all(
      visitors.map(async visitorId => {
        const replies = await Promise.all(Array.from({ length: 8 }, () => ask(visitorId, ['capped', 'hero'])))
        const shown = replies.map(reply => shownIn(reply)[0]![0])
        expect(shown.filter(id => id === 'offer')).toHaveLength(3)
        expect(shown.filter(id => id === 'else')).toHaveLength(5)
      }),
    )
  })

  it('counts what the person was shown on another browser within two seconds', async () => {
    const traits = { userId: 'anna', type: 'identify' as const, traits: {} }
    await track('phone', traits)
    await track('laptop', traits)
    for (let n = 0; n < 2; n++) expect(shownIn(await ask('phone', ['capped']))).toEqual([['offer']])
    const excluded = await until(
      'the laptop knows what the phone showed, and itself',
      async () => (await ask('laptop', ['capped'])).decisions[0]?.reason?.excluded,
      reasons => reasons?.[0]?.reason === 'capped',
    )
    expect(Number(excluded?.[0]?.detail?.split(' ')[0])).toBeGreaterThanOrEqual(3)
  })

  it('does not show again what an event has stopped', async () => {
    await put('slot', 'ended', { policy: { type: 'fixed', contentIds: ['buy', 'thanks'] } })
    await put('content', 'buy', { slots: ['ended'], stopAfter: 'Order Completed' })
    await put('content', 'thanks', { slots: ['ended'] })
    const shown = async (visitorId: string) => shownIn(await ask(visitorId, ['ended'])).flat()
    await until(
      'it is shown',
      () => shown('any'),
      ids => ids[0] === 'buy',
    )
    expect(await shown('buyer')).toEqual(['buy'])
    await track('buyer', { event: 'Product Viewed' })
    expect(await shown('buyer')).toEqual(['buy'])
    await track('buyer', { event: 'Order Completed' })
    expect(await shown('buyer')).toEqual(['thanks'])
    expect((await recordsOf('buyer')).at(-1)?.excluded).toEqual([{ contentId: 'buy', reason: 'stopped' }])
  })

  it('tells the profile of what has a cap, and of what a slot that learns shows, and of nothing else', async () => {
    await ask('told', ['hero'])
    expect(await stored('EVENTS', 'told')).toEqual([])
    const { decisions: all } = await ask('told', ['capped', 'hero', 'learns'], { daypart: 'morning' })
    const envelopes = await stored<EventEnvelope>('EVENTS', 'told')
    expect(envelopes).toHaveLength(1)
    const [capped, learns] = envelopes[0]!.served!
    expect(envelopes[0]).toMatchObject({ siteId: SITE, messages: [] })
    expect(capped).toMatchObject({
      decisionId: all[0]!.decisionId,
      isOnlyCounted: true,
      items: [{ contentId: 'offer' }],
    })
    expect(learns).toMatchObject({ decisionId: all[2]!.decisionId, slotId: 'learns', sessionId: 's1' })
    expect(learns).not.toHaveProperty('isOnlyCounted')
    expect(learns!.items.map(({ contentId }) => contentId)).toEqual(all[2]!.items.map(({ contentId }) => contentId))
    for (const { features } of learns!.items) expect(features!.length).toBeGreaterThan(8)
    const partition = partitionOf(SITE, 'told', installation.partitions)
    expect(await profiles.waitFor(partition, await lastEvent(nats, partition), 5_000)).toBe(true)
    const kept = (await profiles.profileOf(SITE, 'told'))?.decisions
    expect(new Set(kept?.map(({ decisionId }) => decisionId))).toEqual(
      new Set([all[0]!.decisionId, all[2]!.decisionId]),
    )
  })

  it('records what draws it again', async () => {
    await ask('again', ['learns', 'hero', 'capped'])
    const records = await recordsOf('again')
    expect(records).toHaveLength(3)
    for (const record of records) {
      expect(record).toMatchObject({ outcome: 'served', recordVersion: 3 })
      expect(record.latencyMs).toBeGreaterThanOrEqual(0)
      expect(recompute(record)).toMatchObject({ contentIds: record.contentIds, propensities: record.propensities })
    }
  })

  describe('an explanation', () => {
    interface Explained extends Explanation {
      decision: DecisionRecord
      error?: { code: string; message: string }
      status: number
    }

    async function explain(id: string, query = `?site=${SITE}`, token = ADMIN_TOKEN): Promise<Explained> {
      const path = `/v1/admin/decisions/${encodeURIComponent(id)}/explain${query}`
      const response = await fetch(`${collector.url}${path}`, { headers: { Authorization: `Bearer ${token}` } })
      expect(response.headers.get('content-type')).toContain('application/json')
      return { ...((await response.json()) as Explained), status: response.status }
    }

    /** Explains the latest decisions of a visitor, and holds what is read from the table against what was recorded. */
    async function explained(visitorId: string, count: number): Promise<Explained[]> {
      const answers: Explained[] = []
      // One after the other: only so many are read at a time.
      for (const record of (await recordsOf(visitorId)).slice(-count)) {
        const answer = await explain(record.decisionId)
        expect(answer).toMatchObject({ status: 200, reproduced: true })
        const { draw, contentIds, propensities, candidates, excluded, seed, ghost } = record
        expect(answer.decision).toMatchObject({ draw, contentIds, propensities, candidates, excluded, seed })
        expect(answer.decision.ghost).toEqual(ghost)
        expect(recompute(answer.decision)).toEqual(recompute(record))
        answers.push(answer)
      }
      return answers
    }

    it('tells why content was shown, why other content was not, and draws it again', async () => {
      await ask('curious', ['hero', 'teaser'], { country: 'FR' })
      const [hero, teaser] = await explained('curious', 2)
      const [shown] = hero!.decision.contentIds
      expect(hero!.text).toContain(`${shown} was shown because it was drawn at random from 3, all equally likely`)
      expect(hero!.text).toContain(
        'not shown: far, context.country is "FR", wanted "DE"; past, it has ended; sold, it is out of stock.',
      )
      expect(hero!.candidates).toHaveLength(6)
      expect(hero!.candidates[0]).toMatchObject({ contentId: shown, shown: true, excluded: null })
      expect(hero!.candidates[0]?.propensity).toBe(hero!.decision.propensities[0])
      expect(hero!.candidates.find(({ contentId }) => contentId === 'far')).toEqual({
        contentId: 'far',
        propensity: 0,
        position: null,
        shown: false,
        excluded: { reason: 'condition', detail: 'context.country is "FR", wanted "DE"' },
      })
      expect(teaser!.candidates.map(({ position }) => position)).toEqual([1, 2, null])
      expect(teaser!.candidates[2]).toMatchObject({
        contentId: shown,
        excluded: { reason: 'repeated', detail: 'an earlier slot of the page shows it' },
      })
    })

    it('tells of a cap, of a slate that learns, and of those who are held out', async () => {
      for (let n = 0; n < 4; n++) await ask('often', ['capped'])
      await ask('often', ['learns', 'held'])
      const [capped, learns, held] = await explained('often', 3)
      expect(capped!.text).toContain(
        'else was shown because nothing else was left to be shown; not shown: offer, capped 3 of 3 in 24h.',
      )
      expect(learns!.decision.contentIds).toHaveLength(2)
      expect(learns!.text).toContain(`${learns!.decision.contentIds[1]} was shown because `)
      expect(held!.text).toMatch(
        /^Nothing was shown because the visitor is held out.*; \w+ would have been shown because/,
      )
      expect(held!.decision).toMatchObject({
        outcome: 'holdout',
        contentIds: [],
        ghost: [held!.candidates[0]!.contentId],
      })
      expect(held!.candidates.filter(({ shown }) => shown)).toEqual([])
    })

    it('is the same, byte for byte, in another process that has the record alone: of every policy, and of before an upgrade', async () => {
      const typed = POLICIES.map(({ type }) => `by-${type}`)
      await ask('elsewhere', ['hero', 'learns', 'capped', 'held'])
      for (const slot of typed) await ask('elsewhere', [slot])
      const answers = await explained('elsewhere', 4 + typed.length)
      for (const { decision } of answers.slice(4)) expect(decision.contentIds).toHaveLength(2)
      const before = await readFile(new URL('../unit/core/decide/records-0.1.0.json', import.meta.url), 'utf8')
      const old = (JSON.parse(before) as { record: DecisionRecord }[]).map(({ record }) => record)
      const script = `
        import { explainDecision } from '@slotstream/core'
        import { text } from 'node:stream/consumers'
        const records = JSON.parse(await text(process.stdin))
        process.stdout.write(JSON.stringify(records.map(record => explainDecision(record))))`
      // Not waited for at a standstill: leases of this process are kept meanwhile.
      const other = spawn(process.execPath, ['--input-type=module', '-e', script], {
        stdio: ['pipe', 'pipe', 'inherit'],
      })
      other.stdin.end(JSON.stringify([...answers.map(({ decision }) => decision), ...old]))
      const stdout = await streamText(other.stdout)
      const told = answers.map(({ decision: _record, status: _ok, ...explanation }) => explanation)
      expect(stdout).toBe(JSON.stringify([...told, ...old.map(record => explainDecision(record))]))
    })

    it('names all contents of a large slot by the catalog, by the tables when that has changed, and counts them without', async () => {
      await ask('wide', ['many'])
      const [whole] = await explained('wide', 1)
      expect(whole).toMatchObject({ unnamed: 0, candidates: { length: 30 } })
      await put('content', 'm99', { slots: ['many'] })
      const named = await until(
        'the tables have the catalog as it was',
        async () => (await explained('wide', 1))[0]!,
        ({ unnamed }) => unnamed === 0,
      )
      expect(named.candidates).toEqual(whole!.candidates)
      await contentsThen?.stop()
      contentsThen = undefined
      const [later] = await explained('wide', 1)
      expect(later!.candidates.length).toBeLessThan(10)
      expect(later).toMatchObject({ unnamed: 30 - later!.candidates.length })
    })

    it('draws a record of the first form again, and says of an imported one that it cannot be', async () => {
      const [old] = await recordsOf('curious')
      const first = {
        ...{ slotId: 'hero', anonymousId: 'old', policy: 'affinity', policyVersion: '1', holdout: false, position: 1 },
        ...{ decisionId: uuidv7(), timestamp: new Date().toISOString(), outcome: 'served', excluded: [] },
        contentIds: ['hats2', 'shoes0', 'bags3'],
        propensities: [0.8500000000000001, 0.4666666666666667, 0.1],
        candidates: [
          { contentId: 'hats2', score: 0.75, probability: 0.85 },
          { contentId: 'shoes0', score: 0.25, probability: 0.05 },
          { contentId: 'shoes1', score: 0.25, probability: 0.05 },
          { contentId: 'bags3', score: 0, probability: 0.05 },
        ],
        features: { affinities: { hats: 3, shoes: 1 }, exploration: 0.2 },
        seed: '0197d0f4-6f1a-7000-8000-000000000000',
      }
      const body = { siteId: SITE, visitorId: 'old', receivedAt: first.timestamp, decisions: [first] }
      await nats.js.publish(streamSubject('decisions', 0), JSON.stringify(body))
      const answer = await explain(first.decisionId)
      expect(answer).toMatchObject({ status: 200, reproduced: true, unnamed: 0 })
      expect(answer.candidates.map(({ contentId }) => contentId)).toEqual(['hats2', 'shoes0', 'bags3', 'shoes1'])

      const imported = {
        ...{ decisionId: "it's -- imported", slotId: 'hero', anonymousId: 'x', timestamp: '2026-01-01T00:00:00Z' },
        ...{ contentIds: ['<b>'], propensities: [0.5], candidates: [{ contentId: '<b>', score: 1, probability: 0.5 }] },
      }
      // As if it were ours, and made to take long.
      const features = { draw: '{"contents":"e100000","stages":[{"of":1e9,"drawn":[0]}]}', missed: '[["<b>",{}]]' }
      const sent = await fetch(`${collector.url}/v1/admin/sites/${SITE}/decisions/import`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${ADMIN_TOKEN}` },
        body: JSON.stringify({
          decisions: [imported, { ...imported, decisionId: old!.decisionId }, { ...imported, features }],
        }),
      })
      expect(await sent.json()).toMatchObject({ imported: 2, rejected: [{ index: 2 }] })
      const foreign = await until(
        'the import is loaded',
        () => explain(imported.decisionId),
        ({ status }) => status === 200,
      )
      expect(foreign).toMatchObject({ reproduced: false, candidates: [{ contentId: '<b>', shown: true }] })
      expect(foreign.text).toContain("it was imported from another system's log")
      // An import under the id of a decision that was served takes nothing's place.
      expect((await explain(old!.decisionId)).decision.contentIds).toEqual(old!.contentIds)
      expect(explainDecision((await explain(old!.decisionId)).decision).reproduced).toBe(true)
    })

    it('is drawn again every night, all of a sample, and what was changed is told', async () => {
      const parts = { installation, clickhouse: clickhouse.account, redraw: { sample: 20_000, hour: 3 }, metrics, log }
      const job = createRedrawJob(parts, () => Date.now() + 86_400_000)
      const numbers = async () => {
        const text = await metrics.registry.metrics()
        return ['same', 'different'].map(name => Number(text.match(`decisions_redrawn{outcome="${name}"} (\\d+)`)?.[1]))
      }
      await job.run(new AbortController().signal)
      const [same, different] = await numbers()
      expect(different).toBe(0)
      expect(same).toBeGreaterThan(100)
      const [{ decisionId, contentIds }] = (await recordsOf('curious')) as [DecisionRecord]
      await clickhouse.client.command({
        query: `ALTER TABLE slotstream.decisions UPDATE content_ids = ['another'] WHERE decision_id = '${decisionId}' AND content_ids = ['${contentIds[0]}']`,
        clickhouse_settings: { mutations_sync: '1' },
      })
      await job.run(new AbortController().signal)
      expect(await numbers()).toEqual([same! - 1, 1])
      const changed = await explain(decisionId)
      expect(changed.reproduced).toBe(false)
      expect(changed.text).toContain('Not reproduced: the numbers of the record draw something else.')
    })

    it('is given for decisions of the site alone, to administrators alone', async () => {
      const [record] = await recordsOf('curious')
      const id = record!.decisionId
      const [elsewhere, missing] = await Promise.all([explain(id, '?site=other'), explain(uuidv7())])
      expect(elsewhere).toMatchObject({ status: 404, error: { code: 'not_found' } })
      expect(elsewhere.error?.message).toContain('site other has no decision of that id')
      expect(missing).toMatchObject({ status: 404 })
      expect(missing.error?.message).toContain('it may take some seconds until one is there')
      expect(await explain(id, '?site=nowhere')).toMatchObject({ status: 404 })
      for (const query of ['', '?site=shop&site=other', '?site[a]=shop'])
        expect(await explain(id, query)).toMatchObject({ status: 400, error: { code: 'malformed' } })
      expect(await explain(id, undefined, 'wrong')).toMatchObject({ status: 401 })
      for (const unknown of [uuidv7(1), "' OR 1 = 1 --", '{id: String}', 'x'.repeat(200)])
        expect(await explain(unknown)).toMatchObject({ status: 404, error: { code: 'not_found' } })
      expect(await explain('x'.repeat(2_000))).toMatchObject({ status: 400 })
    })
  })

  describe('the time machine', () => {
    const MACHINE = 'machine'
    const COMMAND = fileURLToPath(new URL('../../cli/dist/replay/main.js', import.meta.url))
    const HEADERS = { Authorization: `Bearer ${ADMIN_TOKEN}`, 'Content-Type': 'application/json' }
    const SLOTS = POLICIES.map(({ type }) => `of-${type}`)
    /** Policies that neither learn nor rank by a matrix, of which all follows from the record. */
    const PLAIN = ['affinity', 'weighted', 'random', 'fixed']
    let folder: string

    const admin = async (path: string, body: object) => {
      const url = `${collector.url}/v1/admin/sites/${MACHINE}${path}`
      const response = await fetch(url, { method: 'PUT', headers: HEADERS, body: JSON.stringify(body) })
      expect(response.status, await response.text()).toBe(200)
    }
    const content = (id: string, fields: object = {}) =>
      admin(`/content/${id}`, { category: id < 'c' ? 'tents' : 'bags', slots: SLOTS, payload: {}, ...fields })

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'slotstream-machine-'))
      await putSite(collector.url, MACHINE)
      for (const { type, ...policy } of POLICIES) {
        const own = type === 'fixed' ? { contentIds: ['c', 'a', 'b'] } : policy
        const holdout = type === 'random' ? { holdout: 0.3 } : {}
        await admin(`/slots/of-${type}`, {
          count: 2,
          ...holdout,
          ...(type !== 'default' && { policy: { type, ...own } }),
        })
      }
      for (const id of ['a', 'b', 'c', 'd']) await content(id)
      await until(
        'the catalog counts',
        () => Promise.all(SLOTS.map(slot => ask('first', [slot], {}, MACHINE))),
        replies => replies.every(({ decisions: [one] }) => one!.items.length === 2 || one!.outcome === 'holdout'),
      )
    })
    afterAll(() => rm(folder, { recursive: true, force: true }))

    async function visit(prefix: string, visitors: number): Promise<void> {
      for (let n = 0; n < visitors; n++) {
        const context = { country: n % 2 ? 'DE' : 'FR' }
        await Promise.all(SLOTS.map(slot => ask(`${prefix}${n}`, [slot], context, MACHINE)))
        // None shows what an earlier one does.
        await ask(`${prefix}${n}`, ['of-random', 'of-weighted'], context, MACHINE)
      }
    }

    /** Runs the command, in a process of its own. */
    async function replay(...more: string[]): Promise<ReplayReport> {
      const period = ['--from', new Date(Date.now() - 3_600_000).toISOString()]
      period.push('--to', new Date(Date.now() + 60_000).toISOString())
      const { url, username, password } = clickhouse.account
      const args = [COMMAND, 'decisions', '--site', MACHINE, ...period, '--collector', collector.url, '--json', ...more]
      const where = { CLICKHOUSE_URL: url, CLICKHOUSE_USER: username, CLICKHOUSE_PASSWORD: password }
      const env = { ...process.env, ADMIN_TOKEN, ...where }
      return JSON.parse((await promisify(execFile)(process.execPath, args, { env })).stdout)
    }

    it('does all decisions of an hour again byte for byte, after two changes of the catalog and a restart', async () => {
      await visit('before', 6)
      await content('c', { where: { 'context.country': 'DE' } })
      await visit('between', 6)
      await admin('/slots/of-weighted', { policy: { type: 'weighted' }, count: 3 })
      await content('e', { weight: 5 })
      await decisions.stop()
      metrics = createMetrics()
      decisions = await startDecisions({ nats, publisher, installation, metrics, log, profiles })
      await until(
        'it decides again, by the new catalog',
        () => ask('again', ['of-weighted'], {}, MACHINE),
        reply => shownIn(reply)[0]?.length === 3,
      )
      await visit('after', 6)
      await content('d', { stock: 0 })
      const { state } = await nats.manager.streams.info('DECISIONS')
      let recorded = 0
      for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
        const envelope = (await nats.manager.streams.getMessage('DECISIONS', { seq }))?.json<DecisionEnvelope>()
        if (envelope?.siteId === MACHINE) recorded += envelope.decisions.length
      }
      const report = await until('all are in the table', replay, ({ total }) => total === recorded)
      expect(report).toMatchObject({ different: [], withoutCatalog: 0, reproduced: recorded - report.undecided })
      expect(report.reproduced).toBeGreaterThan(18 * SLOTS.length * 0.8)
      expect(report.ways.decided / report.reproduced).toBeGreaterThan(PLAIN.length / SLOTS.length - 0.1)
    })

    it('says who would have seen what by another policy or catalog', async () => {
      const policy = join(folder, 'policy.json')
      await writeFile(policy, JSON.stringify({ type: 'fixed', contentIds: ['b'] }))
      const { slots } = await replay('--slot', 'of-thompson', '--with', policy)
      const { contents, decisions: compared, unknown, value } = slots!['of-thompson']!
      expect(contents.find(({ contentId }) => contentId === 'b')!.after).toBe(compared)
      expect(contents.find(({ contentId }) => contentId === 'a')!.after).toBe(0)
      expect(unknown).toEqual([])
      expect(value.refused?.code).toBe('low_sample')
      expect(value.estimates).not.toBeNull()

      const catalog = join(folder, 'catalog.json')
      const kept = ['a', 'b'].map(id => ({ id, category: 'tents', slots: ['of-contextual'], payload: {} }))
      await writeFile(catalog, JSON.stringify({ content: kept }))
      const { slots: others } = await replay('--with', catalog)
      expect(Object.keys(others!).sort()).toEqual([...SLOTS].sort())
      const shown = others!['of-contextual']!.contents.filter(({ after }) => after > 0)
      expect(shown.map(({ contentId }) => contentId).sort()).toEqual(['a', 'b'])

      const usual = await replay('--slot', 'of-contextual', '--with', 'default')
      expect(usual.slots!['of-contextual']).toMatchObject({ unknown: [] })
      const both = await replay('--slot', 'of-contextual', '--with', 'default', '--with', policy)
      expect(both.tournaments!['of-contextual']!.candidates.map(({ standing }) => standing)).not.toContain('better')
    })

    it('tells what is wrong', async () => {
      await expect(replay('--with', join(folder, 'none.json'))).rejects.toThrow(/none\.json cannot be read/)
      await expect(replay('--site', 'nope')).rejects.toThrow('there is no site nope')
    })
  })

  it('keeps serving the last good version of what was broken', async () => {
    await put('slot', 'safe', { policy: { type: 'fixed', contentIds: ['kept'] } })
    await put('content', 'kept', { slots: ['safe'] })
    const shown = () => ask('safe', ['safe']).then(reply => shownIn(reply).flat())
    await until('it is shown', shown, ids => ids[0] === 'kept')
    await installation.buckets.catalog.put(`${SITE}.content.${keyToken('kept')}`, 'not JSON')
    await put('slot', 'safe', { count: 'many' })
    await put('content', 'odd', { slots: ['safe'], where: { $nonsense: [] } })
    const refused = async () => /catalog_refused_total (\d+)/.exec(await metrics.registry.metrics())?.[1]
    await until('both are refused', refused, count => count === '2')
    expect(await shown()).toEqual(['kept'])
    await installation.buckets.catalog.delete(`${SITE}.content.${keyToken('kept')}`)
    await until('it is gone', shown, ids => ids.length === 0)
  })
})

import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startDecisions } from '@slotstream/aggregator'
import type { DecisionEnvelope, DecisionRecord } from '@slotstream/protocol'
import { createMetrics } from '@slotstream/runtime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRedrawJob } from '#aggregator/batch/redraw-job.js'
import type { ReplayReport } from '#cli/replay/decisions/replay-decisions.js'
import { ADMIN_TOKEN, putSite, readAll } from '../support/collector.js'
import { type DecidedShop, log, POLICIES, setUpDecidedShop, shownIn } from '../support/set-up-decided-shop.js'
import { until } from '../support/until.js'

let shop: DecidedShop
let nats: DecidedShop['nats']
let clickhouse: DecidedShop['clickhouse']
let collector: DecidedShop['collector']
const { ask, recordsOf, explain } = setUpDecidedShop(current => {
  shop = current
  ;({ nats, clickhouse, collector } = current)
})

describe('the time machine', () => {
  const MACHINE = 'machine'
  const COMMAND = fileURLToPath(new URL('../../cli/dist/replay/main.js', import.meta.url))
  const EVALUATE = fileURLToPath(new URL('../../cli/dist/evaluate/main.js', import.meta.url))
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
    await ask('curious', ['hero'])
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

  async function records(): Promise<DecisionRecord[]> {
    const envelopes = await readAll<DecisionEnvelope>(nats, 'DECISIONS')
    return envelopes.flatMap(({ siteId, decisions }) => (siteId === MACHINE ? decisions : []))
  }

  it('does all decisions of an hour again byte for byte, after two changes of the catalog and a restart', async () => {
    await visit('before', 6)
    await content('c', { where: { 'context.country': 'DE' } })
    await visit('between', 6)
    await admin('/slots/of-weighted', { policy: { type: 'weighted' }, count: 3 })
    await content('e', { weight: 5 })
    await shop.decisions.stop()
    shop.metrics = createMetrics()
    shop.decisions = await startDecisions({ ...shop, log })
    await until(
      'it decides again, by the new catalog',
      () => ask('again', ['of-weighted'], {}, MACHINE),
      reply => shownIn(reply)[0]?.length === 3,
    )
    await visit('after', 6)
    await content('d', { stock: 0 })
    const { length: recorded } = await records()
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

  it('does decisions again about visitors whom the site holds out, who stay so with another policy', async () => {
    await putSite(collector.url, MACHINE, { holdout: { share: 0.5, tag: 't' } })
    const someone = () => Promise.all([...'abcdefgh'].map(letter => ask(`held-${letter}`, ['of-fixed'], {}, MACHINE)))
    const isHeldOut = ({ decisions }: { decisions: { outcome: string }[] }) => decisions[0]!.outcome === 'holdout'
    await until('the holdout counts', someone, replies => replies.some(isHeldOut))
    await visit('held', 8)
    const all = await records()
    const heldOut = all.filter(({ slotId, holdout }) => holdout && slotId === 'of-fixed').length
    const policy = join(folder, 'policy.json')
    const report = await until(
      'all are in the table',
      () => replay('--with', policy),
      ({ total }) => total === all.length,
    )
    expect(report).toMatchObject({ different: [], withoutCatalog: 0, reproduced: all.length - report.undecided })
    const { decisions, contents } = report.slots!['of-fixed']!
    expect(heldOut).toBeGreaterThan(0)
    expect(contents.find(({ contentId }) => contentId === 'b')!.after).toBe(decisions - heldOut)
    // Without the slot's own holdout, those whom both hold out stay held out by the site.
    const open = join(folder, 'open.json')
    await writeFile(
      open,
      JSON.stringify({ slots: [{ id: 'of-random', policy: { type: 'fixed', contentIds: ['b'] } }] }),
    )
    const random = all.filter(({ slotId }) => slotId === 'of-random')
    const { contents: others } = (await replay('--slot', 'of-random', '--with', open)).slots!['of-random']!
    const ofSite = random.filter(({ known }) => known?.isHeldOutOfSite).length
    expect(ofSite).toBeGreaterThan(0)
    expect(others.find(({ contentId }) => contentId === 'b')!.after).toBe(random.length - ofSite)
  })

  it('values what evaluate values, of more content than a record lists, after it is gone from the catalog', async () => {
    const many = { slots: ['of-many'], payload: {} }
    await admin('/slots/of-many', { policy: { type: 'weighted' } })
    for (let n = 0; n < 30; n++)
      await admin(`/content/m${n}`, { ...many, ...(n % 4 === 0 && { where: { 'context.country': 'DE' } }) })
    await until(
      'its content counts',
      () => ask('first', ['of-many'], { country: 'DE' }, MACHINE),
      ({ decisions: [one] }) => one!.reason?.candidates?.length === 30,
    )
    for (let n = 0; n < 40; n++) await ask(`m${n}`, ['of-many'], { country: n % 2 ? 'DE' : 'FR' }, MACHINE)
    await admin('/content/m0', { ...many, slots: [] })
    // The test before set a holdout of the site.
    const decided = ['served', 'holdout']
    const recorded = (await records()).filter(
      ({ slotId, outcome }) => slotId === 'of-many' && decided.includes(outcome),
    )
    const file = join(folder, 'random.json')
    await writeFile(file, '{"type": "random"}')
    const { logged, value, unknown } = await until(
      'all are in the table',
      async () => (await replay('--slot', 'of-many', '--with', file)).slots!['of-many']!,
      ({ decisions }) => decisions === recorded.length,
    )
    expect({ logged, unknown }).toEqual({ logged: 0, unknown: [] })
    const { url, username, password } = clickhouse.account
    const env = { ...process.env, CLICKHOUSE_URL: url, CLICKHOUSE_USER: username, CLICKHOUSE_PASSWORD: password }
    const args = [EVALUATE, '--site', MACHINE, '--slot', 'of-many', '--policy', file, '--json']
    const { stdout } = await promisify(execFile)(process.execPath, args, { env })
    const { ess, overlap, maxWeight, refused } = value
    expect(JSON.parse(stdout)).toMatchObject({ ess, overlap, maxWeight, refused })
    expect(overlap).toBe(1)
    expect(refused?.code).toBe('low_sample')
  })

  it('tells what is wrong', async () => {
    await expect(replay('--with', join(folder, 'none.json'))).rejects.toThrow(/none\.json cannot be read/)
    await expect(replay('--site', 'nope')).rejects.toThrow('there is no site nope')
  })
})

describe('a recorded decision', () => {
  it('is drawn again every night, all of a sample, and what was changed is told', async () => {
    const { installation, metrics } = shop
    const redraw = { sample: 20_000, hour: 3 }
    const parts = { installation, clickhouse: clickhouse.account, redraw, metrics, log }
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
})

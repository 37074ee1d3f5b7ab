import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Explanation } from '@slotstream/core'
import type { SlotDecision } from '@slotstream/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ReplayReport } from '#cli/replay/decisions/replay-decisions.js'
import { type System, startSystem } from '../support/system.js'
import { until } from '../support/until.js'

const REPLAY = fileURLToPath(new URL('../../cli/dist/replay/main.js', import.meta.url))

describe('a slot that takes content by candidates', () => {
  let system: System
  let folder: string
  let visitors = 0

  beforeAll(async () => {
    system = await startSystem()
    folder = await mkdtemp(join(tmpdir(), 'slotstream-candidates-'))
    const site = { siteId: 'shop', name: 'Shop', writeKeys: ['shop'], allowedOrigins: ['*'], debug: true }
    await system.admin('PUT', '/sites/shop', site)
  })
  afterAll(async () => {
    await system?.stop()
    if (folder) await rm(folder, { recursive: true, force: true })
  })

  const put = (path: string, body: object) => system.admin('PUT', `/sites/shop/${path}`, body)

  async function decide(): Promise<SlotDecision> {
    const anonymousId = `visitor-${++visitors}`
    const response = await fetch(`${system.collectorUrl}/v1/slots?writeKey=shop`, {
      method: 'POST',
      body: JSON.stringify({ anonymousId, slots: [{ id: 'deals' }], explain: true }),
    })
    const { decisions } = (await response.json()) as { decisions: SlotDecision[] }
    return decisions[0]!
  }

  const shown = async () => (await decide()).items.map(({ contentId }) => contentId).sort()
  const become = (ids: string[]) =>
    until(`the slot shows ${ids}`, shown, found => JSON.stringify(found) === JSON.stringify(ids))

  it('shows what enters, no longer what leaves, and says why it was decided so', async () => {
    const answer = await system.admin('POST', '/sites/shop/catalog', {
      slots: [
        { id: 'deals', count: 5, policy: { type: 'random' }, candidates: { price: { $lt: 200 }, category: 'tents' } },
      ],
      content: [
        { id: 'tent', category: 'tents', price: 150, payload: { title: 'Tent' } },
        { id: 'palace', category: 'tents', price: 900, payload: { title: 'Palace' } },
        { id: 'lamp', slots: ['deals'], category: 'lamps', payload: { title: 'Lamp' } },
      ],
    })
    expect(answer).toMatchObject({ revision: 1, warnings: ['content palace: no slot takes it'] })
    await become(['lamp', 'tent'])
    const first = await decide()

    await put('content/palace', { category: 'tents', price: 199, payload: { title: 'Palace' } })
    await become(['lamp', 'palace', 'tent'])
    await put('content/tent', { category: 'tents', price: 200, payload: { title: 'Tent' } })
    await become(['lamp', 'palace'])
    await system.admin('DELETE', '/sites/shop/content/palace')
    await become(['lamp'])

    // The record of then names its candidates, though the catalog is another one now.
    const explained = await until(
      'the decision is explained',
      () => system.admin('GET', `/decisions/${first.decisionId}/explain?site=shop`),
      Boolean,
    )
    const { candidates } = explained as Explanation
    expect(candidates.map(({ contentId }) => contentId).sort()).toEqual(['lamp', 'tent'])
  })

  it('is as it was where a condition cannot be used, whichever way it came', async () => {
    const before = (await system.admin('GET', '/sites/shop/catalog')) as { revision: number }
    await expect(put('slots/deals', { candidates: { prize: { $lt: 1 } } })).rejects.toThrow(
      /candidates\.prize: a content has no \\"prize\\" that can be asked for: did you mean \\"price\\"/,
    )
    await expect(put('slots/deals', { candidates: 'tents' })).rejects.toThrow(/candidates must be a condition/)
    await expect(put('slots/deals', { candidates: { brand: { $regex: '(a)\\1' } } })).rejects.toThrow(
      /candidates\.brand/,
    )
    const many = { $or: Array.from({ length: 21 }, (_, n) => ({ brand: `b${n}` })) }
    await expect(put('slots/deals', { candidates: many })).rejects.toThrow(/20 are allowed/)
    expect(await system.admin('GET', '/sites/shop/catalog')).toMatchObject({ revision: before.revision })
    expect(await shown()).toEqual(['lamp'])
  })

  it('has content that fits its schema, whether that names it or not', async () => {
    const slot = { count: 5, policy: { type: 'random' }, candidates: { category: 'tents' } }
    const schema = { type: 'object', properties: { price: { type: 'number' } }, required: ['price'] }
    await expect(put('slots/deals', { ...slot, schema })).rejects.toThrow(/content (lamp|tent) does not fit/)
    for (const id of ['lamp', 'tent'])
      await put(`content/${id}`, { category: 'tents', price: 200, payload: { title: id, price: 200 } })
    await put('slots/deals', { ...slot, schema })
    await become(['lamp', 'tent'])
    await expect(put('content/hut', { category: 'tents' })).rejects.toThrow(/payload\.price is missing/)
    expect(await put('content/hut', { category: 'huts' })).toMatchObject({ id: 'hut', slots: [] })
  })

  it('lets an experiment have the content that it takes, and replays what was decided byte for byte', async () => {
    const arms = [
      { id: 'as-it-is', share: 0.5 },
      { id: 'few', share: 0.5, contentIds: ['tent'] },
    ]
    const experiment = { id: 'e', slot: 'deals', arms, metrics: ['Slot Clicked'] }
    await expect(
      system.admin('PUT', '/sites/shop/experiments', {
        experiments: [{ ...experiment, arms: [arms[0], { ...arms[1], contentIds: ['hut'] }] }],
      }),
    ).rejects.toThrow(/slot deals has no content hut/)
    await system.admin('PUT', '/sites/shop/experiments', { experiments: [experiment] })
    await until('an arm shows its content', shown, ids => ids.length === 1)

    const other = join(folder, 'catalog.json')
    await writeFile(
      other,
      JSON.stringify({
        slots: [{ id: 'deals', count: 5, policy: { type: 'random' }, candidates: { category: 'huts' } }],
      }),
    )
    const replay = async (...more: string[]): Promise<ReplayReport> => {
      // The only site with decisions need not be named.
      const args = [REPLAY, 'decisions', '--collector', system.collectorUrl, '--json', ...more]
      args.push('--from', new Date(Date.now() - 3_600_000).toISOString())
      const env = { ...process.env, ADMIN_TOKEN: system.adminToken, CLICKHOUSE_URL: system.clickhouseUrl }
      return JSON.parse((await promisify(execFile)(process.execPath, args, { env })).stdout)
    }
    const report = await until('all are in the table', replay, ({ total }) => total >= visitors)
    expect(report).toMatchObject({ different: [], withoutCatalog: 0 })
    expect(report.reproduced).toBe(report.total - report.undecided)
    const { slots } = await replay('--with', other)
    expect(slots!.deals!.contents.some(({ contentId, after }) => contentId === 'hut' && after > 0)).toBe(true)
  })

  it('is in the tables with its condition', async () => {
    const rows = await until(
      'the versions are loaded',
      () =>
        system.query<{ candidates: string }>(
          `SELECT JSONExtractRaw(definition, 'candidates') AS candidates FROM slotstream.catalog_versions
           WHERE site_id = 'shop' AND kind = 'slot' AND id = 'deals' ORDER BY valid_from`,
        ),
      found => found.length >= 2,
    )
    expect(rows.map(({ candidates }) => JSON.parse(candidates))).toEqual([
      { price: { $lt: 200 }, category: 'tents' },
      { category: 'tents' },
    ])
  })
})

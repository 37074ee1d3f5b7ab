import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { uuidv7 } from '@slotstream/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type System, startSystem } from '../support/system.js'
import { until } from '../support/until.js'

const COMMAND = fileURLToPath(new URL('../../cli/dist/replay/main.js', import.meta.url))
const SITE = 'machine'
const IDS = ['a', 'b', 'c', 'd']
const SLOTS = [
  { id: 'plain', policy: { type: 'random' }, count: 2 },
  { id: 'held', policy: { type: 'affinity', exploration: 0.3 }, holdout: 0.3 },
  { id: 'learns', policy: { type: 'contextual' }, count: 2 },
  { id: 'usual' },
  {
    id: 'several',
    policy: {
      type: 'ensemble',
      policies: [
        { share: 1, policy: { type: 'random' } },
        { share: 1, policy: { type: 'weighted' } },
      ],
    },
  },
  { id: 'items', policy: { type: 'ease' } },
  { id: 'best', policy: { type: 'thompson' } },
]

let system: System
let folder: string

beforeAll(async () => {
  system = await startSystem()
  folder = await mkdtemp(join(tmpdir(), 'slotstream-machine-'))
  await system.admin('PUT', `/sites/${SITE}`, { name: SITE, writeKeys: [SITE] })
  for (const { id, ...slot } of SLOTS) await system.admin('PUT', `/sites/${SITE}/slots/${id}`, slot)
  for (const id of IDS) await put(id, {})
})

afterAll(async () => {
  await system?.stop()
  if (folder) await rm(folder, { recursive: true, force: true })
})

const put = (id: string, fields: object) =>
  system.admin('PUT', `/sites/${SITE}/content/${id}`, {
    category: id < 'c' ? 'tents' : 'bags',
    slots: SLOTS.map(slot => slot.id),
    payload: { title: id },
    ...fields,
  })

/** Asks for all slots, for some visitors, who click what they like. */
async function visit(prefix: string, visitors: number): Promise<number> {
  let decided = 0
  const headers = { Authorization: `Basic ${Buffer.from(`${SITE}:`).toString('base64')}` }
  const post = (path: string, body: object) =>
    fetch(`${system.collectorUrl}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  for (let n = 0; n < visitors; n++) {
    const anonymousId = `${prefix}${n}`
    const context = { country: n % 2 ? 'DE' : 'FR', sessionId: anonymousId }
    const slots = SLOTS.map(({ id }) => ({ id }))
    const response = await post('/v1/slots', { anonymousId, context, slots })
    const { decisions } = (await response.json()) as {
      decisions: { decisionId: string; items: { contentId: string }[] }[]
    }
    decided += decisions.length
    const batch = decisions.flatMap(({ decisionId, items }) =>
      items.flatMap(({ contentId }) =>
        ['Slot Viewed', ...(contentId === 'a' ? ['Slot Clicked'] : [])].map(event => ({
          type: 'track',
          event,
          anonymousId,
          messageId: uuidv7(),
          properties: { decisionId, contentId },
        })),
      ),
    )
    await post('/v1/batch', { batch })
  }
  return decided
}

async function replay(...more: string[]): Promise<Report> {
  const from = new Date(Date.now() - 3_600_000).toISOString()
  const to = new Date(Date.now() + 60_000).toISOString()
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      COMMAND,
      'decisions',
      '--site',
      SITE,
      '--from',
      from,
      '--to',
      to,
      '--collector',
      system.collectorUrl,
      '--json',
      ...more,
    ],
    { env: { ...process.env, ADMIN_TOKEN: system.adminToken, CLICKHOUSE_URL: system.clickhouseUrl } },
  )
  return JSON.parse(stdout)
}

describe('the time machine', () => {
  it('does all decisions of an hour again byte for byte, after two changes of the catalog and a restart', async () => {
    let total = await visit('first', 12)
    await put('c', { where: { 'context.country': 'DE' } })
    total += await visit('second', 12)
    await system.admin('PUT', `/sites/${SITE}/slots/plain`, { policy: { type: 'weighted' }, count: 3 })
    await put('e', { weight: 5 })
    total += await visit('third', 12)
    await system.kill('aggregator')
    await system.kill('collector')
    await until(
      'it is ready again',
      () => fetch(`${system.collectorUrl}/readyz`).catch(() => undefined),
      response => response?.ok === true,
    )
    await put('d', { stock: 0 })
    const [row] = await until(
      'all decisions are in their table',
      () => system.query<{ n: number }>(`SELECT count() AS n FROM slotstream.decisions WHERE site_id = '${SITE}'`),
      ([found]) => found!.n >= total,
      { timeoutMs: 60_000 },
    )
    expect(row!.n).toBe(total)
    const report = await replay()
    expect(report).toMatchObject({ total, different: [], withoutCatalog: 0 })
    // A busy machine leaves some slots to the page.
    expect(report.undecided).toBeLessThan(total / 2)
    expect(report.reproduced).toBe(total - report.undecided)
    // Slots that do not learn are decided anew: plain, held, several.
    const { decided, drawn } = report.ways
    expect(decided / (decided + drawn)).toBeCloseTo(3 / 7, 1)
  })

  it('says who would have seen what by another policy or catalog', async () => {
    const policy = join(folder, 'policy.json')
    await writeFile(policy, JSON.stringify({ type: 'fixed', contentIds: ['b'] }))
    const { slots } = await replay('--slot', 'plain', '--with', policy)
    const [a, b] = ['a', 'b'].map(id => slots.plain!.contents.find(({ contentId }) => contentId === id))
    expect(slots.plain).toMatchObject({ unknown: [] })
    expect(slots.plain!.decisions).toBeGreaterThan(18)
    expect(b!.after).toBe(slots.plain!.decisions)
    expect(a!.after).toBe(0)
    expect(slots.plain!.value.refused).toMatchObject({ code: 'low_sample' })
    expect(slots.plain!.value.estimates).not.toBeNull()

    const catalog = join(folder, 'catalog.json')
    const content = IDS.slice(0, 2).map(id => ({ id, category: 'tents', slots: ['learns', 'held'], payload: {} }))
    await writeFile(catalog, JSON.stringify({ content }))
    const other = await replay('--with', catalog)
    expect(Object.keys(other.slots).sort()).toEqual(SLOTS.map(({ id }) => id).sort())
    expect(
      other.slots
        .learns!.contents.filter(({ after }) => after > 0)
        .map(({ contentId }) => contentId)
        .sort(),
    ).toEqual(['a', 'b'])

    const usual = await replay('--slot', 'learns', '--with', 'default')
    expect(usual.slots.learns).toMatchObject({ unknown: [] })
    expect(usual.slots.learns!.decisions).toBeGreaterThan(18)
  })

  it('tells what is wrong', async () => {
    await expect(replay('--with', join(folder, 'none.json'))).rejects.toThrow(/none\.json cannot be read/)
    const broken = join(folder, 'broken.json')
    await writeFile(broken, JSON.stringify({ type: 'best' }))
    await expect(replay('--with', broken)).rejects.toThrow(/policy\.type must be one of/)
  })
})

interface Report {
  total: number
  reproduced: number
  undecided: number
  ways: { decided: number; drawn: number }
  slots: Record<
    string,
    {
      decisions: number
      contents: { contentId: string; before: number; after: number }[]
      unknown: object[]
      value: { estimates: object | null; refused: { code: string } | null }
    }
  >
}

import { createLog } from '@slotstream/runtime'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { refuseSlotsInUse } from '#collector/admin/catalog/slots-in-use.js'
import { createCatalogStore } from '#collector/admin/catalog/store/catalog-store.js'
import type { Target } from '#collector/admin/catalog/store/changes.js'
import { createExperimentStore } from '#collector/admin/experiments/experiment-store.js'
import { putExperiments } from '#collector/admin/experiments/put-experiments.js'
import { ADMIN_TOKEN, putSite, startBroker } from '../support/collector.js'

const log = createLog('test')
log.level = 'silent'

let broker: Awaited<ReturnType<typeof startBroker>>
let url: string
let other: string
let sites = 0
let site: string

beforeAll(async () => {
  broker = await startBroker()
  url = await broker.collector()
  other = await broker.collector()
})
afterAll(() => broker?.stop())
beforeEach(async () => {
  site = `shop-${++sites}`
  await putSite(url, site)
  await admin('POST', '/catalog', {
    slots: [
      { id: 'hero', holdout: 0.1 },
      { id: 'teaser', policy: { type: 'random' } },
    ],
    content: ['tent', 'boat'].map(id => ({ id, slots: ['hero'], category: id, payload: { title: id } })),
  })
})

interface Answer {
  status: number
  revision: number
  experiments: object[]
  error: { code: string; message: string; details?: string[] }
}

async function admin(method: string, path: string, body?: object, at = url): Promise<Answer> {
  const response = await fetch(`${at}/v1/admin/sites/${site}${path}`, {
    method,
    headers: { Authorization: `Bearer ${ADMIN_TOKEN}` },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  return { status: response.status, ...((await response.json()) as Omit<Answer, 'status'>) }
}

const put = (experiments: unknown, more: object = {}) => admin('PUT', '/experiments', { experiments, ...more })

const POLICIES = {
  id: 'policies',
  slot: 'hero',
  arms: [
    { id: 'control', share: 0.5 },
    { id: 'random', share: 0.3, policy: { type: 'random' } },
    { id: 'tents', share: 0.2, contentIds: ['tent'] },
  ],
  metrics: ['Slot Clicked', { event: 'Order Completed', value: 'properties.revenue', windowHours: 24 }],
  guardrails: [
    { event: 'Order Completed', margin: 0.05 },
    { event: 'Error Shown', worse: 'more' },
  ],
  stop: { units: 50_000, on: ['worse', 'sampleRatio'] },
}

/** The experiment with other fields. */
const changed = (fields: object) => [{ ...POLICIES, ...fields }]
const arms = (...list: object[]) => changed({ arms: list })

describe('the experiments of a site', () => {
  it('are empty at first, are put as a whole and read by every collector', async () => {
    expect(await admin('GET', '/experiments')).toEqual({ status: 200, revision: 0, experiments: [] })
    const stored = await put([POLICIES])
    expect(stored).toMatchObject({ status: 200, experiments: [POLICIES] })
    expect(stored.revision).toBeGreaterThan(0)
    expect(await admin('GET', '/experiments', undefined, other)).toEqual(stored)
    expect((await put([POLICIES])).revision).toBe(stored.revision)
  })

  it('have a history, and go back to an earlier revision', async () => {
    const first = await put([POLICIES])
    const second = await put(changed({ group: 'home' }))
    expect(second.revision).toBeGreaterThan(first.revision)
    const history = Object.values(await admin('GET', '/experiments/history')) as unknown as { revision: number }[]
    expect(history.flatMap(({ revision }) => revision ?? [])).toEqual([second.revision, first.revision])
    expect(await admin('GET', `/experiments/history/${first.revision}`)).toMatchObject({ experiments: [POLICIES] })
    const back = await admin('POST', '/experiments/rollback', { revision: first.revision })
    expect(back).toMatchObject({ status: 200, experiments: [POLICIES] })
    expect(back.revision).toBeGreaterThan(second.revision)
    expect((await admin('GET', '/experiments/history/999999')).status).toBe(404)
  })

  it('are changed only at the revision that is named', async () => {
    const { revision } = await put([POLICIES])
    expect((await put([], { revision: revision + 1 })).status).toBe(409)
    expect((await put([], { revision })).status).toBe(200)
  })

  it.each([
    ['a share too much', arms({ id: 'a', share: 0.6 }, { id: 'b', share: 0.5 }), /add up to 1\.1: .*add up to 1/],
    ['a share too little', arms({ id: 'a', share: 0.5 }, { id: 'b', share: 0.4 }), /add up to 0\.9/],
    ['one arm', arms({ id: 'a', share: 1 }), /arms must be a list of 2 to 10/],
    ['no share', arms({ id: 'a' }, { id: 'b', share: 1 }), /arms\[0\]\.share must be a number above 0/],
    ['an arm twice', arms({ id: 'a', share: 0.5 }, { id: 'a', share: 0.5 }), /"a" is used twice/],
    [
      'both ways',
      arms({ id: 'a', share: 0.5, contentIds: ['tent'], policy: { type: 'random' } }, { id: 'b', share: 0.5 }),
      /leave one out/,
    ],
    [
      'an unknown policy',
      arms({ id: 'a', share: 0.5, policy: { type: 'rnd' } }, { id: 'b', share: 0.5 }),
      /policy\.type/,
    ],
    ['an unknown field', changed({ metric: ['x'] }), /metric is unknown: did you mean experiments\[0\]\.metrics/],
    [
      'an unknown field of an arm',
      arms({ id: 'a', share: 0.5, weight: 1 }, { id: 'b', share: 0.5 }),
      /arms\[0\]\.weight is unknown/,
    ],
    ['no metrics', changed({ metrics: [] }), /metrics must be a list of 1 to 10/],
    ['a metric without an event', changed({ metrics: [{ value: 'properties.x' }] }), /metrics\[0\]\.event must be/],
    [
      'a value that is no path',
      changed({ metrics: [{ event: 'x', value: "properties.x' OR 1" }] }),
      /\.value must be a path/,
    ],
    ['a slot that is missing', changed({ slot: 'her' }), /there is no slot her: make it with PUT/],
    [
      'content of another slot',
      arms({ id: 'a', share: 0.5, contentIds: ['raft'] }, { id: 'b', share: 0.5 }),
      /slot hero has no content raft/,
    ],
    ['an id twice', [POLICIES, { ...POLICIES, slot: 'teaser', arms: POLICIES.arms.slice(0, 2) }], /add up|too: choose/],
    ['two in one slot', [POLICIES, { ...POLICIES, id: 'second' }], /must be that of "policies"/],
    ['an end without a reason', changed({ stopped: { at: '2026-06-01' } }), /stopped\.reason must be one of asked/],
    [
      'an end in an arm that is missing',
      changed({ stopped: { at: '2026-06-01', reason: 'asked', arm: 'x' } }),
      /stopped\.arm must be one of control/,
    ],
    ['an end that does something else', changed({ stop: { apply: 'go' } }), /stop\.apply must be one of tell/],
    ['no list', {}, /must be a list/],
  ])('are rejected as a whole with %s', async (_what, experiments, reason) => {
    const { status, error } = await put(experiments)
    expect(status).toBe(400)
    expect(error.details?.join('\n')).toMatch(reason)
    expect(await admin('GET', '/experiments')).toMatchObject({ revision: 0 })
  })

  it('stay stopped when the same set is put once more, and run again where that is said, or by a rollback', async () => {
    const stopped = { at: '2026-06-01T00:00:00Z', reason: 'asked', arm: 'tents', verdict: 'Enough.' }
    const running = await put([POLICIES])
    expect(await put(changed({ stopped }))).toMatchObject({ status: 200, experiments: [{ stopped }] })
    expect(await put(changed({ group: 'home' }))).toMatchObject({ experiments: [{ group: 'home', stopped }] })
    expect(await admin('GET', '/experiments')).toMatchObject({ experiments: [{ stopped }] })
    expect((await put(changed({ stopped: null }))).experiments[0]).not.toHaveProperty('stopped')
    await put(changed({ stopped }))
    const back = await admin('POST', '/experiments/rollback', { revision: running.revision })
    expect(back.experiments).toEqual([POLICIES])
  })

  it('may share a slot with one that has ended', async () => {
    const stopped = { at: '2026-06-01T00:00:00Z', reason: 'worse' }
    expect((await put([...changed({ stopped }), ...changed({ id: 'second' })])).status).toBe(200)
  })

  it('may share a slot where they exclude each other', async () => {
    expect((await put([...changed({ group: 'g' }), ...changed({ id: 'second', group: 'g' })])).status).toBe(200)
  })

  it('keep their slot while they run, by whichever route it would go', async () => {
    await put([POLICIES])
    const without = { slots: [{ id: 'teaser' }], content: [] }
    await admin('POST', '/catalog', { ...without, replace: true, draft: true })
    const routes: [string, string, object?][] = [
      ['DELETE', '/slots/hero'],
      ['POST', '/catalog', { ...without, replace: true }],
      ['POST', '/catalog/publish'],
    ]
    for (const [method, path, body] of routes) {
      const { status, error } = await admin(method, path, body)
      expect(status, path).toBe(409)
      expect(error.details).toEqual(['slot hero has the experiment "policies", which runs'])
      expect(error.message).toContain('PUT …/experiments')
    }
    expect((await admin('DELETE', '/slots/teaser')).status).toBe(200)
    expect((await put([POLICIES])).status).toBe(200)
    // With the end of the experiment the slot may go, and the set is still one that can be put.
    const stopped = { at: '2026-06-01T00:00:00Z', reason: 'asked' }
    await put(changed({ stopped }))
    expect((await admin('DELETE', '/slots/hero')).status).toBe(200)
    expect((await put([POLICIES])).status).toBe(200)
    expect((await put(changed({ stopped: null }))).status).toBe(400)
  })

  it('keep their slot in a rollback of the catalog', async () => {
    await admin('PUT', '/slots/later', {})
    const history = Object.values(await admin('GET', '/catalog/history')) as unknown as { revision: number }[]
    const [, before] = history.flatMap(({ revision }) => revision ?? [])
    const later = { ...POLICIES, slot: 'later', arms: POLICIES.arms.slice(0, 2).map(arm => ({ ...arm, share: 0.5 })) }
    await put([later])
    expect((await admin('POST', '/catalog/rollback', { revision: before })).status).toBe(409)
    await put([])
    expect((await admin('POST', '/catalog/rollback', { revision: before })).status).toBe(200)
  })

  it('are named where content of their arms goes', async () => {
    await put([POLICIES])
    const warnings = ['experiment policies lists content "tent" in the arm tents']
    expect(await admin('DELETE', '/content/boat')).toEqual({ status: 200, deleted: true })
    const slots = [{ id: 'hero' }, { id: 'teaser' }]
    expect(await admin('POST', '/catalog', { slots, replace: true, draft: true })).toMatchObject({ warnings })
    expect(await admin('DELETE', '/content/tent')).toEqual({ status: 200, deleted: true, warnings })
  })

  it('go with their site', async () => {
    await put([POLICIES])
    expect((await admin('DELETE', '')).status).toBe(200)
    await putSite(url, site)
    expect(await admin('GET', '/experiments')).toMatchObject({ experiments: [] })
  })
})

describe('a slot that is removed while an experiment over it is put', () => {
  const POLICY = {
    ...POLICIES,
    arms: [
      { id: 'control', share: 0.5 },
      { id: 'random', share: 0.5, policy: { type: 'random' } },
    ],
  }

  /** Stores over the same buckets, of which one does something after it has been read. */
  function stores(afterRead: { experiments?: () => Promise<unknown>; catalog?: () => Promise<unknown> }) {
    const { buckets } = broker.installation
    const [experiments, catalog] = [createExperimentStore(buckets.definitions), createCatalogStore(buckets, log)]
    let left = 1
    const once = async <T>(value: T, work?: () => Promise<unknown>): Promise<T> => {
      if (work && left-- > 0) await work()
      return value
    }
    return {
      experimentStore: {
        ...experiments,
        read: async (of: string) => once(await experiments.read(of), afterRead.experiments),
      },
      catalog: { ...catalog, read: async (of: string) => once(await catalog.read(of), afterRead.catalog) },
    }
  }

  const removal: Target[] = [{ kind: 'slot', id: 'hero' }]
  const removeBy = ({ catalog, experimentStore }: ReturnType<typeof stores>) =>
    catalog.change(site, async () => {
      await refuseSlotsInUse(experimentStore, site, removal)
      return removal
    })

  it('stays where the experiment is stored before the removal is', async () => {
    const parts = stores({ experiments: () => put([POLICY]) })
    await expect(removeBy(parts)).rejects.toMatchObject({ code: 'conflict' })
    expect((await parts.catalog.read(site)).slots.map(({ id }) => id)).toContain('hero')
    expect((await parts.experimentStore.read(site)).experiments).toHaveLength(1)
  })

  it('is gone where the removal was stored before, and the experiment is not stored', async () => {
    const parts = stores({ catalog: () => admin('DELETE', '/slots/hero') })
    await expect(putExperiments(parts, site, [POLICY])).rejects.toMatchObject({ code: 'conflict' })
    expect((await parts.experimentStore.read(site)).experiments).toEqual([])
    // Another change of the catalog is none of its business.
    const others = stores({ catalog: () => admin('PUT', '/content/lamp', { slots: ['teaser'], category: 'c' }) })
    await putExperiments(others, site, [{ ...POLICY, slot: 'teaser' }])
  })

  it('is never gone with an experiment that runs in it, whichever is quicker', async () => {
    for (let round = 0; round < 20; round++) {
      await admin('PUT', '/slots/hero', {})
      const both = await Promise.all([put([POLICY]), admin('DELETE', '/slots/hero', undefined, other)])
      expect(both.filter(({ status }) => status === 200).length).toBeLessThan(2)
      for (const { status } of both) expect([200, 400, 409]).toContain(status)
      expect(await put([])).toMatchObject({ status: 200 })
    }
  })
})

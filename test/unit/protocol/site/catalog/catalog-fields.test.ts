import {
  type CatalogCheck,
  checkContent,
  checkSlot,
  MAX_CATALOG_ITEM_BYTES,
  MAX_PAYLOAD_BYTES,
  POLICY_TYPES,
  strictContent,
  strictSlot,
} from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'

const SLOTS = new Set(['hero'])
const putSlot = (fields: object) => strictSlot({ id: 'hero', ...fields })
const putContent = (fields: object) => strictContent({ id: 'tent', slots: ['hero'], ...fields }, SLOTS)

function faultsOf(checked: CatalogCheck<unknown>): string[] {
  if (checked.ok) throw new Error('was taken')
  return checked.faults
}

/** Nested so many levels deep. */
function nested(levels: number): object {
  let value: object = {}
  for (let level = 1; level < levels; level++) value = { a: value }
  return value
}

const deepEnsemble = (levels: number): object =>
  levels === 0 ? { type: 'random' } : { type: 'ensemble', policies: [{ share: 1, policy: deepEnsemble(levels - 1) }] }

const FULL_SLOT = {
  id: 'hero',
  policy: { type: 'contextual', draw: 'gaps' },
  count: 2,
  holdout: 0.1,
  control: 'page',
  rewards: [
    {
      event: 'Order Completed',
      where: { 'properties.total': { $gt: 10 } },
      value: 'properties.total',
      min: -10,
      max: 500,
      from: 'secret',
      halfLife: '24h',
      windowHours: 72,
    },
    { event: 'Slot Clicked', value: 0.5, windowHours: 1 },
  ],
  countFrom: 'served',
  exploration: { atLeast: 0.05 },
  campaigns: [
    { id: 'sale', where: { 'context.locale': 'de' }, contentIds: ['tent'], mode: 'pin' },
    { id: 'new', contentIds: ['tent', 'lamp'], mode: 'boost' },
  ],
  schema: { type: 'object', required: ['title'] },
  attribution: { rule: 'linear', windowHours: 48 },
  maxAge: '5s',
}

const FULL_CONTENT = {
  id: 'tent',
  slots: ['hero'],
  category: 'camp',
  payload: { title: 'Tents', price: 99.5, isNew: true, note: null },
  startsAt: '2026-11-27T00:00:00+01:00',
  endsAt: '2026-11-28T00:00:00+01:00',
  where: { segments: { $in: ['campers'] } },
  caps: [
    { count: 3, per: '24h' },
    { count: 1, per: 'session' },
  ],
  stopAfter: 'Order Completed',
  stock: 0,
  weight: 0,
  tags: ['outdoor'],
  brand: 'Acme',
  price: 0,
  attributes: { margin: 0.2, colours: ['red', { hex: '#f00' }] },
}

describe('a slot and a content with all there is', () => {
  it('are taken as they are, when they are put and when they are read', () => {
    expect(strictSlot(FULL_SLOT)).toEqual({ ok: true, value: FULL_SLOT })
    expect(checkSlot(FULL_SLOT)).toEqual({ ok: true, value: FULL_SLOT })
    expect(strictContent(FULL_CONTENT, SLOTS)).toEqual({ ok: true, value: FULL_CONTENT })
    expect(checkContent(FULL_CONTENT)).toEqual({ ok: true, value: FULL_CONTENT })
  })

  it('have no other fields, not in their parts either: as they are read those are left out, and refused as they are put', () => {
    const more = { more: 1 }
    const slot = {
      ...FULL_SLOT,
      ...more,
      policy: { ...FULL_SLOT.policy, ...more },
      rewards: FULL_SLOT.rewards.map(reward => ({ ...reward, ...more })),
      exploration: { ...FULL_SLOT.exploration, ...more },
      campaigns: FULL_SLOT.campaigns.map(campaign => ({ ...campaign, ...more })),
    }
    expect(checkSlot(slot)).toEqual({ ok: true, value: FULL_SLOT })
    const paths = faultsOf(strictSlot(slot)).map(fault => fault.split(' is unknown')[0])
    expect(paths.toSorted()).toEqual(
      ['campaigns[0].more', 'campaigns[1].more', 'exploration.more', 'more', 'policy.more'].concat([
        ...['rewards[0].more', 'rewards[1].more'],
      ]),
    )
    const content = { ...FULL_CONTENT, ...more, caps: FULL_CONTENT.caps.map(cap => ({ ...cap, ...more })) }
    expect(checkContent(content)).toEqual({ ok: true, value: FULL_CONTENT })
    expect(faultsOf(strictContent(content, SLOTS)).map(fault => fault.split(' is unknown')[0])).toEqual([
      'more',
      'caps[0].more',
      'caps[1].more',
    ])
  })

  it('leave out what is null', () => {
    const nothing = Object.fromEntries(Object.keys(FULL_SLOT).map(field => [field, null]))
    expect(putSlot({ ...nothing, id: 'hero' })).toEqual({ ok: true, value: { id: 'hero', count: 1, holdout: 0 } })
  })
})

describe('a slot is rejected with', () => {
  it.each([
    [{ rewards: {} }, 'rewards must be a list of up to 20'],
    [{ rewards: [5] }, 'rewards[0] must be an object such as'],
    [{ rewards: [{ windowHours: 1 }] }, "rewards[0].event must be an event's name"],
    [{ rewards: [{ event: '', windowHours: 1 }] }, 'rewards[0].event must be'],
    [{ rewards: [{ event: '__proto__', windowHours: 1 }] }, 'rewards[0].event must be'],
    [{ rewards: [{ event: 'E' }] }, 'rewards[0].windowHours must be a whole number from 1 to 720'],
    [{ rewards: [{ event: 'E', windowHours: 0 }] }, 'rewards[0].windowHours must be'],
    [{ rewards: [{ event: 'E', windowHours: 1, halfLife: '0s' }] }, 'rewards[0].halfLife must be'],
    [{ rewards: [{ event: 'E', windowHours: 721 }] }, 'rewards[0].windowHours must be'],
    [{ rewards: [{ event: 'E', windowHours: 1.5 }] }, 'rewards[0].windowHours must be'],
    [{ rewards: [{ event: 'E', windowHours: 1, value: 'total' }] }, 'rewards[0].value must be a number'],
    [{ rewards: [{ event: 'E', windowHours: 1, value: 100_001 }] }, 'rewards[0].value must be'],
    [{ rewards: [{ event: 'E', windowHours: 1, value: Number.NaN }] }, 'rewards[0].value must be'],
    [{ rewards: [{ event: 'E', windowHours: 1, min: 1 }] }, 'rewards[0].min must be a number from -100000 to 0'],
    [{ rewards: [{ event: 'E', windowHours: 1, max: -1 }] }, 'rewards[0].max must be a number from 0 to 100000'],
    [{ rewards: [{ event: 'E', windowHours: 1, from: 'public' }] }, 'rewards[0].from must be one of any, secret'],
    [{ rewards: [{ event: 'E', windowHours: 1, where: [] }] }, 'rewards[0].where must be a condition'],
    [{ rewards: Array(21).fill({ event: 'E', windowHours: 1 }) }, 'rewards has 21 entries, 20 are allowed'],
    [{ rewards: [{ event: 'E', windowhours: 24, windowHours: 1 }] }, 'did you mean rewards[0].windowHours?'],
    [{ countFrom: 'clicked' }, 'countFrom must be one of viewed, served'],
    [{ exploration: 0.1 }, 'exploration must be an object'],
    [{ exploration: {} }, 'exploration.atLeast must be a share from 0 to 1'],
    [{ exploration: { atLeast: 1.1 } }, 'exploration.atLeast must be'],
    [{ exploration: { atLeast: 0.1, neverBelow: 2 } }, 'exploration.neverBelow must be a share from 0 to 1'],
    [{ campaigns: [{ id: 'a', contentIds: ['b'] }] }, 'campaigns[0].mode must be one of pin, boost'],
    [{ campaigns: [{ id: 'a', contentIds: ['b'], mode: 'first' }] }, 'campaigns[0].mode must be one of'],
    [{ campaigns: [{ id: '', contentIds: ['b'], mode: 'pin' }] }, 'campaigns[0].id must be text'],
    [{ campaigns: [{ id: 'a', contentIds: [], mode: 'pin' }] }, 'campaigns[0].contentIds must be a list of 1 to 100'],
    [{ campaigns: [{ id: 'a', contentIds: ['b'], mode: 'pin', where: 'x' }] }, 'campaigns[0].where must be'],
    [
      { campaigns: Array(2).fill({ id: 'a', contentIds: ['b'], mode: 'pin' }) },
      'campaigns[1].id is the id of campaigns[0], too',
    ],
    [{ schema: 'object' }, 'schema must be a JSON Schema'],
    [{ schema: { type: 'object', description: 'x'.repeat(70_000) } }, 'schema has 70'],
    [{ schema: { ...nested(40) } }, 'schema is nested deeper than 32 levels'],
    [{ control: 'none' }, 'control must be "page"'],
    [{ control: { contentIds: ['a'] } }, "contentIds are not supported: held-out visitors keep the page's own content"],
    [{ control: {} }, 'control must be "page"'],
    [{ policy: { type: 'toString' } }, 'policy.type must be one of'],
    [{ policy: { type: 'thomson' } }, 'did you mean "thompson"?'],
    [{ policy: { type: 'fixed', contentIds: Array(1_001).fill('a') } }, 'policy.contentIds has 1001 entries'],
    [{ policy: { type: 'affinity', popularity: false } }, 'policy.popularity must be true, or left out'],
    [{ policy: { type: 'popular', bySegment: 1 } }, 'policy.bySegment must be true or false'],
    [{ policy: { type: 'thompson', prior: { successes: 1 } } }, 'policy.prior.failures must be a number above 0'],
    [{ policy: { type: 'thompson', prior: { successes: 0, failures: 1 } } }, 'policy.prior.successes must be'],
    [{ policy: { type: 'contextual', draw: 'dice' } }, 'policy.draw must be one of quadrature, gaps, samples'],
    [{ policy: { type: 'ensemble' } }, 'policy.policies must be a list of 1 to 10'],
    [{ policy: { type: 'ensemble', policies: [] } }, 'policy.policies must be'],
    [{ policy: { type: 'ensemble', policies: [5] } }, 'policy.policies[0] must be an object'],
    [
      { policy: { type: 'ensemble', policies: [{ share: 0, policy: { type: 'random' } }] } },
      'policy.policies[0].share must be a number above 0',
    ],
    [
      { policy: { type: 'ensemble', policies: [{ share: 1, policy: { type: 'best' } }] } },
      'policy.policies[0].policy.type must be one of',
    ],
    [
      { policy: { type: 'ensemble', policies: [{ share: 1, policy: { type: 'random', x: 1 } }] } },
      'policy.policies[0].policy.x is unknown',
    ],
    [{ policy: deepEnsemble(4) }, 'is an ensemble within 3 others'],
  ])('%j', (fields, fault) => {
    expect(faultsOf(putSlot(fields)).join('\n')).toContain(fault)
  })

  it('a line for each fault', () => {
    expect(faultsOf(putSlot({ count: 0, holdout: 2, countFrom: 'x' }))).toEqual([
      'count must be a whole number from 1 to 50',
      'holdout must be a share from 0 to 1',
      'countFrom must be one of viewed, served',
    ])
  })

  it('conditions beyond what an object may be', () => {
    const where = (condition: object) => ({
      campaigns: [{ id: 'a', contentIds: ['b'], mode: 'pin', where: condition }],
    })
    expect(faultsOf(putSlot(where(nested(50))))[0]).toContain('campaigns[0].where is nested deeper')
    expect(faultsOf(putSlot(where(JSON.parse('{"__proto__": {"x": 1}}'))))[0]).toContain('key __proto__')
    expect(faultsOf(putSlot(where({ a: Array(20_001).fill(1) })))[0]).toContain('more than 20000 values')
  })
})

describe('every policy', () => {
  const SPECS = {
    fixed: { contentIds: ['a'] },
    affinity: { exploration: 0.1 },
    ensemble: { policies: [{ share: 0.5, policy: { type: 'random' } }] },
  } as Record<string, object>

  it.each(POLICY_TYPES)('%s is taken, also within an ensemble', type => {
    const policy = { type, ...SPECS[type] }
    expect(putSlot({ policy })).toMatchObject({ ok: true, value: { policy } })
    const ensemble = { type: 'ensemble', policies: [{ share: 2, policy }] }
    expect(putSlot({ policy: ensemble })).toMatchObject({ ok: true, value: { policy: ensemble } })
  })

  it('may be nested three ensembles deep', () => {
    expect(putSlot({ policy: deepEnsemble(3) })).toMatchObject({ ok: true })
  })
})

describe('a content is rejected with', () => {
  it.each([
    [{ where: [] }, 'where must be a condition'],
    [{ caps: { count: 1, per: '24h' } }, 'caps must be a list of up to 8'],
    [{ caps: [{ count: 0, per: '24h' }] }, 'caps[0].count must be a whole number from 1 to 100'],
    [{ caps: [{ count: 1, per: '2h' }] }, 'caps[0].per must be one of 1h, 24h, 7d, session'],
    [{ caps: [{ count: 1 }] }, 'caps[0].per must be'],
    [{ caps: Array(9).fill({ count: 1, per: '1h' }) }, 'caps has 9 entries, 8 are allowed'],
    [{ stopAfter: '' }, "stopAfter must be an event's name"],
    [{ stock: -1 }, 'stock must be a whole number from 0'],
    [{ stock: 1.5 }, 'stock must be'],
    [{ weight: -0.1 }, 'weight must be a number from 0 to 1000000'],
    [{ weight: Number.POSITIVE_INFINITY }, 'weight must be'],
    [{ price: -1 }, 'price must be a number from 0'],
    [{ price: '10' }, 'price must be'],
    [{ tags: 'outdoor' }, 'tags must be a list of texts'],
    [{ tags: [''] }, 'tags must be a list of texts'],
    [{ tags: Array(10_001).fill('t') }, 'tags has 10001 entries'],
    [{ brand: '' }, 'brand must be text'],
    [{ attributes: [] }, 'attributes must be an object'],
    [{ attributes: nested(40) }, 'attributes is nested deeper'],
    [{ attributes: { ['k'.repeat(257)]: 1 } }, 'attributes has a key of 257 characters'],
    [{ attributes: JSON.parse('{"a": {"__proto__": 1}}') }, 'attributes must not have the key __proto__'],
    [{ payload: JSON.parse('{"__proto__": 1}') }, 'payload must not have the key __proto__'],
    [{ payload: { a: [1] } }, 'payload.a must be text'],
    [{ payload: { a: 'x'.repeat(MAX_PAYLOAD_BYTES) } }, `${MAX_PAYLOAD_BYTES} are allowed`],
    [{ attributes: { a: 'x'.repeat(MAX_CATALOG_ITEM_BYTES) } }, `${MAX_CATALOG_ITEM_BYTES} are allowed`],
    [{ slots: Array(1_001).fill('hero') }, 'slots has 1001 entries'],
  ])('%j', (fields, fault) => {
    expect(faultsOf(putContent(fields)).join('\n')).toContain(fault)
  })

  it('10,000 tags is not', () => {
    expect(putContent({ tags: Array.from({ length: 10_000 }, (_, n) => `tag-${n}`) })).toMatchObject({ ok: true })
  })
})

describe('what is stored', () => {
  it('is read whatever its size, so that an upgrade keeps it', () => {
    const payload = { html: 'x'.repeat(MAX_CATALOG_ITEM_BYTES) }
    const content = { id: 'big', slots: Array(2_000).fill('hero'), category: '', payload }
    expect(checkContent(content)).toEqual({ ok: true, value: content })
    const policy = { type: 'fixed', contentIds: Array(2_000).fill('a') }
    expect(checkSlot({ id: 'hero', policy })).toMatchObject({ ok: true, value: { policy } })
  })

  it('is served also where it has content for the holdout, which keeps the page as ever', () => {
    expect(checkSlot({ id: 'hero', control: { contentIds: ['a'] } })).toMatchObject({
      ok: true,
      value: { control: 'page' },
    })
  })
})

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { keyToken } from '@slotstream/protocol'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readFolder } from '#cli/catalog/catalog-folder.js'
import { parseArguments } from '#cli/catalog/parse-arguments.js'
import { runCommand } from '#cli/catalog/run-command.js'
import { hostileEntries } from '../security/hostile-values.js'
import { ADMIN_TOKEN, putSite, startBroker } from '../support/collector.js'

let broker: Awaited<ReturnType<typeof startBroker>>
/** Two collectors that know of each other by their buckets only; the first is a program, which can be killed. */
let program: Awaited<ReturnType<Awaited<ReturnType<typeof startBroker>>['program']>>
let other: string
let sites = 0
let site: string

beforeAll(async () => {
  broker = await startBroker()
  program = await broker.program()
  other = await broker.collector()
})
afterAll(() => broker?.stop())
beforeEach(async () => {
  site = `shop-${++sites}`
  await putSite(other, site)
})

interface Item {
  id: string
  [field: string]: unknown
}

interface Answer {
  status: number
  revision: number
  slots: Item[]
  content: Item[]
  warnings?: string[]
  error: { code: string; message: string; details?: string[] }
}

async function admin(method: string, path: string, body?: object, url = other): Promise<Answer> {
  const response = await fetch(`${url}/v1/admin/sites/${site}${path}`, {
    method,
    headers: { Authorization: `Bearer ${ADMIN_TOKEN}` },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
  return { status: response.status, ...((await response.json()) as Omit<Answer, 'status'>) }
}

interface Revision {
  revision: number
  at: string
  slots: number
  content: number
  added: number
  changed: number
  removed: number
  changes: string[]
  rollbackTo?: number
}

async function history(): Promise<Revision[]> {
  const { status, ...answer } = await admin('GET', '/catalog/history')
  expect(status).toBe(200)
  return Object.values(answer) as never
}

const catalog = () => admin('GET', '/catalog')
const idsOf = ({ slots, content }: Answer) => [slots, content].map(items => items.map(({ id }) => id))
const content = (id: string, more: object = {}) => ({
  id,
  slots: ['hero'],
  category: 'camp',
  payload: { title: id },
  ...more,
})
const hero = (more: object = {}) => ({ id: 'hero', ...more })
const both = (...ids: string[]) => ({ slots: [hero()], content: ids.map(id => content(id)) })

/** The revision that follows all items in the bucket that decisions are made from. */
async function published(): Promise<number | undefined> {
  const entry = await broker.installation.buckets.catalog.get(`${site}.published`)
  return entry?.operation === 'PUT' ? entry.json<{ revision: number }>().revision : undefined
}

describe('the revision of a catalog', () => {
  it('grows with each change, by whichever route, and not without one', async () => {
    expect(await catalog()).toEqual({ status: 200, revision: 0, slots: [], content: [] })
    const steps: [string, string, object | undefined, number][] = [
      ['PUT', '/slots/hero', {}, 1],
      ['PUT', '/content/tent', content('tent'), 2],
      ['POST', '/catalog', both('tent', 'lamp'), 3],
      ['POST', '/catalog', both('tent', 'lamp'), 3],
      ['PUT', '/content/tent', content('tent'), 3],
      ['DELETE', '/content/lamp', undefined, 4],
      ['DELETE', '/slots/hero', undefined, 5],
    ]
    for (const [method, path, body, revision] of steps) {
      expect(await admin(method, path, body, revision % 2 ? other : program.url)).toMatchObject({ status: 200 })
      expect((await catalog()).revision).toBe(revision)
      expect(await published()).toBe(revision)
    }
    const told = await history()
    expect(told.map(({ changes }) => changes)).toEqual([
      ['- slot hero'],
      ['- content lamp'],
      ['+ content lamp'],
      ['+ content tent'],
      ['+ slot hero'],
    ])
    expect(told[2]).toMatchObject({ revision: 3, slots: 1, content: 2, added: 1, changed: 0, removed: 0 })
    for (const { at } of told) expect(Math.abs(Date.now() - Date.parse(at))).toBeLessThan(3_600_000)
  })

  it('that a change names must be the one in effect', async () => {
    expect(await admin('POST', '/catalog', { ...both('a'), revision: 0 })).toEqual({
      status: 200,
      revision: 1,
      slots: 1,
      content: 1,
    })
    expect(await admin('POST', '/catalog', { ...both('b'), revision: 0 })).toMatchObject({
      status: 409,
      error: { code: 'conflict', message: expect.stringContaining('its revision is 1') },
    })
    expect(await admin('POST', '/catalog', { ...both('b'), revision: 1 })).toMatchObject({ revision: 2 })
    expect(await admin('POST', '/catalog', { revision: '1' })).toMatchObject({ status: 400 })
    // An answer can be sent back as it is.
    const { status: _not, ...whole } = await catalog()
    expect(await admin('POST', '/catalog', whole)).toMatchObject({ status: 200, revision: 2 })
  })

  it('of many writers at a time: each change is there, or refused where it names the revision', async () => {
    await admin('PUT', '/slots/hero', {})
    const urls = [program.url, other]
    const ids = Array.from({ length: 12 }, (_, n) => `c${String(n).padStart(2, '0')}`)
    const answers = await Promise.all(
      ids.map((id, n) =>
        n % 3 === 0
          ? admin('PUT', `/content/${id}`, content(id), urls[n % 2])
          : admin('POST', '/catalog', { content: [content(id)] }, urls[n % 2]),
      ),
    )
    expect(answers.map(({ status }) => status)).toEqual(ids.map(() => 200))
    const now = await catalog()
    expect(idsOf(now)).toEqual([['hero'], ids])
    expect(now.revision).toBe(13)
    const raced = await Promise.all(
      ids.map((id, n) =>
        admin('POST', '/catalog', { content: [content('won', { brand: id })], revision: 13 }, urls[n % 2]),
      ),
    )
    expect(raced.map(({ status }) => status).toSorted()).toEqual([200, ...Array(11).fill(409)])
    const winner = ids[raced.findIndex(({ status }) => status === 200)]
    expect((await catalog()).content.find(({ id }) => id === 'won')).toMatchObject({ brand: winner })
    expect((await history()).map(({ revision }) => revision)).toEqual(Array.from({ length: 14 }, (_, n) => 14 - n))
  })

  it('leaves with its site, and is not given out again', async () => {
    await admin('POST', '/catalog', both('a'))
    await admin('POST', '/catalog', { content: [content('b')], draft: true })
    await admin('DELETE', '')
    await putSite(other, site)
    expect(await catalog()).toMatchObject({ revision: 1, slots: [], content: [] })
    expect(await history()).toEqual([])
    expect(await admin('GET', '/catalog?draft=1')).toMatchObject({ status: 404 })
    const { state } = (await broker.installation.buckets.catalogHistory.status()).streamInfo
    const left = await broker.nats.manager.streams.info('KV_catalog_history', {
      subjects_filter: `$KV.catalog_history.${site}.value.>`,
    })
    expect([state.messages > 0, Object.keys(left.state.subjects ?? {})]).toEqual([true, expect.any(Array)])
    expect(await admin('POST', '/catalog', both('a'))).toMatchObject({ revision: 2 })
    expect((await history()).map(({ revision }) => revision)).toEqual([2])
  })
})

describe('a catalog of before there were revisions', () => {
  it('is read as it is, and is what the first change is made to', async () => {
    const bucket = broker.installation.buckets.catalog
    const slot = { id: 'hero', policy: { type: 'random' }, count: 1, holdout: 0 }
    await bucket.put(`${site}.slot.hero`, JSON.stringify(slot))
    await bucket.put(`${site}.content.${keyToken('a b')}`, JSON.stringify(content('a b')))
    await bucket.put(`${site}.content.broken`, '{"id": 5}')
    expect(await catalog()).toEqual({ status: 200, revision: 0, slots: [slot], content: [content('a b')] })
    expect(await admin('PUT', '/content/new', content('new'))).toMatchObject({ status: 200 })
    expect((await history())[0]).toMatchObject({ slots: 1, changes: ['+ content new'] })
    expect(idsOf(await catalog())).toEqual([['hero'], ['a b', 'new']])
    // What can't be used can be replaced, and removed.
    expect(await admin('DELETE', '/content/broken')).toMatchObject({ status: 200 })
    expect((await bucket.get(`${site}.content.broken`))?.operation).not.toBe('PUT')
  })
})

describe('the history of a catalog', () => {
  it('has each revision as it was, and is rolled back to as a new one', async () => {
    await admin('POST', '/catalog', both('a', 'b'))
    const first = await catalog()
    await admin('POST', '/catalog', {
      slots: [hero({ count: 3 })],
      content: [content('a', { brand: 'Acme' }), content('c')],
    })
    await admin('DELETE', '/content/b')
    expect((await history()).map(({ changes }) => changes)).toEqual([
      ['- content b'],
      ['~ slot hero: count', '~ content a: brand', '+ content c'],
      ['+ slot hero', '+ content a', '+ content b'],
    ])
    const [, second, oldest] = await history()
    expect(await admin('GET', '/catalog/history/1')).toEqual({ ...first, at: oldest!.at })
    expect(await admin('GET', '/catalog/history/2')).toMatchObject({
      ...{ status: 200, revision: 2, at: second!.at },
      slots: [{ id: 'hero', count: 3 }],
      content: [{ id: 'a', brand: 'Acme' }, { id: 'b' }, { id: 'c' }],
    })
    expect(await admin('POST', '/catalog/rollback', { revision: 1 }, program.url)).toEqual({
      ...{ status: 200, revision: 4, added: 1, changed: 2, removed: 1 },
    })
    expect(await catalog()).toEqual({ ...first, revision: 4 })
    expect((await history())[0]).toMatchObject({ revision: 4, rollbackTo: 1, slots: 1, content: 2 })
    // And from there to what was rolled back.
    await admin('POST', '/catalog/rollback', { revision: 3 })
    expect(idsOf(await catalog())).toEqual([['hero'], ['a', 'c']])
    // What is in effect already changes nothing.
    expect(await admin('POST', '/catalog/rollback', { revision: 5 })).toMatchObject({
      status: 200,
      revision: 5,
      added: 0,
    })
  })

  it('keeps 50 revisions, and nothing of those before', async () => {
    await admin('PUT', '/slots/hero', {})
    for (let n = 0; n < 54; n++) await admin('PUT', '/content/a', content('a', { stock: n }))
    const kept = await history()
    expect(kept.map(({ revision }) => revision)).toEqual(Array.from({ length: 50 }, (_, n) => 55 - n))
    expect(await admin('GET', '/catalog/history/6')).toMatchObject({ status: 200, content: [{ stock: 4 }] })
    expect(await admin('GET', '/catalog/history/5')).toMatchObject({ status: 404 })
    const values = await broker.nats.manager.streams.info('KV_catalog_history', {
      subjects_filter: `$KV.catalog_history.${site}.value.>`,
    })
    const there = await Promise.all(
      Object.keys(values.state.subjects ?? {}).map(
        async subject =>
          (await broker.installation.buckets.catalogHistory.get(subject.slice('$KV.catalog_history.'.length)))
            ?.operation,
      ),
    )
    expect(there.filter(operation => operation === 'PUT')).toHaveLength(50)
  })

  it.each([
    ['GET', '/catalog/history/0', undefined, 404],
    ['GET', '/catalog/history/99', undefined, 404],
    ['GET', '/catalog/history/first', undefined, 404],
    ['POST', '/catalog/rollback', { revision: 99 }, 404],
    ['POST', '/catalog/rollback', { revision: '1' }, 400],
    ['POST', '/catalog/rollback', {}, 400],
    ['POST', '/catalog/rollback', { revison: 1 }, 400],
    ['POST', '/catalog/publish', {}, 404],
    ['POST', '/catalog/publish', { draft: true }, 400],
    ['DELETE', '/catalog/draft', undefined, 404],
    ['POST', '/catalog', { draft: 'yes' }, 400],
    ['POST', '/catalog', { replace: 1 }, 400],
  ] as const)('%s %s %j: %d', async (method, path, body, status) => {
    await admin('PUT', '/slots/hero', {})
    expect(await admin(method, path, body)).toMatchObject({ status })
    expect((await catalog()).revision).toBe(1)
  })
})

describe('a change', () => {
  it('of the whole removes what it does not name', async () => {
    await admin('POST', '/catalog', both('a', 'b'))
    expect(await admin('POST', '/catalog', { ...both('b', 'c'), replace: true })).toMatchObject({ revision: 2 })
    expect(idsOf(await catalog())).toEqual([['hero'], ['b', 'c']])
    // A content whose slot is not named has none.
    expect(await admin('POST', '/catalog', { content: [content('b')], replace: true })).toMatchObject({ status: 400 })
    expect(await admin('POST', '/catalog', { replace: true })).toMatchObject({ status: 200 })
    expect(idsOf(await catalog())).toEqual([[], []])
  })

  it('that a collector could not finish is finished by the next one', async () => {
    await admin('POST', '/catalog', both('a', 'b'))
    const before = await catalog()
    await admin('POST', '/catalog', {
      slots: [hero({ count: 2 })],
      content: [content('b', { stock: 0 }), content('c')],
    })
    const after = await catalog()
    // As it is where the collector was killed behind its first write.
    const bucket = broker.installation.buckets.catalog
    const put = (kind: string, item: Item) => bucket.put(`${site}.${kind}.${item.id}`, JSON.stringify(item))
    await put('slot', before.slots[0]!)
    await put('content', before.content[1]!)
    await bucket.delete(`${site}.content.c`)
    await bucket.put(`${site}.published`, JSON.stringify({ revision: 1, at: '' }))
    const [told, changed] = await Promise.all([
      admin('GET', '/catalog'),
      admin('PUT', '/content/a', content('a', { brand: 'Acme' })),
    ])
    expect([told.status, changed.status]).toEqual([200, 200])
    const [a, ...rest] = after.content
    expect(await catalog()).toEqual({ ...after, revision: 3, content: [{ ...a, brand: 'Acme' }, ...rest] })
    expect(await published()).toBe(3)
  })

  it('whose stored changes are lost keeps the catalog as it is served, and lets it be changed', async () => {
    await admin('POST', '/catalog', both('a'))
    await admin('PUT', '/content/b', content('b'))
    const { catalog: bucket, catalogHistory } = broker.installation.buckets
    for await (const key of await catalogHistory.keys(`${site}.value.>`)) await catalogHistory.delete(key)
    await bucket.put(`${site}.published`, JSON.stringify({ revision: 1, at: '' }))
    expect(idsOf(await catalog())).toEqual([['hero'], ['a', 'b']])
    expect(await published()).toBe(2)
    expect(await admin('POST', '/catalog/rollback', { revision: 1 })).toMatchObject({ status: 404 })
    // As is the case where the head is no longer what was stored.
    await broker.nats.js.publish(`$KV.catalog_history.${site}.head`, '{"revision": "2"}')
    expect(await catalog()).toMatchObject({ revision: 2 })
    expect(await admin('POST', '/catalog', { content: [content('c')] })).toMatchObject({ revision: 3 })
    expect((await history()).map(({ revision, content: count }) => [revision, count])).toEqual([[3, 3]])
  })

  it('is possible whatever foreign programs put into the buckets', async () => {
    await admin('POST', '/catalog', both('a'))
    const { catalog: live = [], catalog_history: past = [] } = hostileEntries(0, '', {})
    for (const [bucket, keys] of [
      ['catalog_history', past],
      ['catalog', live.filter(({ key }) => key === 'demo.published')],
    ] as const)
      for (const { key, values } of keys)
        for (const value of values) {
          await broker.nats.js.publish(`$KV.${bucket}.${key.replace(/^demo/, site)}`, value)
          const path = key === 'demo.draft' ? '/catalog?draft=1' : '/catalog/history'
          const answer = await admin('GET', path)
          expect([key, value.slice(0, 300), answer.status >= 500]).toEqual([key, value.slice(0, 300), false])
        }
    expect(idsOf(await catalog())).toEqual([['hero'], ['a']])
    expect(await admin('PUT', '/content/b', content('b'))).toMatchObject({ status: 200 })
    expect(await admin('POST', '/catalog', { content: [content('c')], draft: true })).toMatchObject({ status: 200 })
    expect(await admin('POST', '/catalog/publish')).toMatchObject({ status: 200, added: 1 })
    expect(idsOf(await catalog())).toEqual([['hero'], ['a', 'b', 'c']])
  })

  it('of 10,000 contents is one revision', async () => {
    const many = Array.from({ length: 10_000 }, (_, n) => content(`c${n}`, { tags: ['x'.repeat(200)], price: n }))
    expect(await admin('POST', '/catalog', { slots: [hero()], content: many })).toMatchObject({
      status: 200,
      revision: 1,
    })
    expect((await catalog()).content).toHaveLength(10_000)
    expect(await admin('PUT', '/content/c7', content('c7'))).toMatchObject({ status: 200 })
    const [latest, first] = await history()
    expect(latest).toMatchObject({ content: 10_000, changes: ['~ content c7: tags, price'] })
    expect(first!.changes).toHaveLength(21)
    await admin('POST', '/catalog/rollback', { revision: 1 })
    expect((await catalog()).content.find(({ id }) => id === 'c7')).toMatchObject({ price: 7 })
  }, 60_000)
})

describe('a draft', () => {
  it('is served to nobody until it is published as a whole', async () => {
    await admin('POST', '/catalog', both('a', 'b'))
    const live = await catalog()
    expect(await admin('GET', '/catalog?draft=1')).toMatchObject({ status: 404 })
    expect(await admin('POST', '/catalog', { content: [content('c')], draft: true })).toMatchObject({ revision: 1 })
    expect(
      await admin(
        'POST',
        '/catalog',
        { slots: [hero({ count: 2 })], content: [content('d')], draft: true },
        program.url,
      ),
    ).toMatchObject({ status: 200, slots: 1, content: 1 })
    expect(await catalog()).toEqual(live)
    const draft = await admin('GET', '/catalog?draft=1')
    expect(draft).toMatchObject({ revision: 1, draft: true, slots: [{ count: 2 }] })
    expect(idsOf(draft)).toEqual([['hero'], ['a', 'b', 'c', 'd']])
    // What is changed beside it stays.
    await admin('PUT', '/content/b', content('b', { stock: 5 }))
    expect(await admin('POST', '/catalog/publish')).toEqual({
      status: 200,
      revision: 3,
      added: 2,
      changed: 1,
      removed: 0,
    })
    expect(await catalog()).toMatchObject({ slots: [{ count: 2 }], content: [{}, { stock: 5 }, {}, {}] })
    expect(await admin('GET', '/catalog?draft=1')).toMatchObject({ status: 404 })
    expect(await admin('POST', '/catalog/publish')).toMatchObject({ status: 404 })
  })

  it('may take the place of the whole, and be dropped', async () => {
    await admin('POST', '/catalog', both('a', 'b'))
    await admin('POST', '/catalog', { ...both('c'), draft: true, replace: true })
    expect(idsOf(await admin('GET', '/catalog?draft=1'))).toEqual([['hero'], ['c']])
    expect(await admin('DELETE', '/catalog/draft')).toMatchObject({ status: 200 })
    expect(await admin('POST', '/catalog/publish')).toMatchObject({ status: 404 })
    expect(idsOf(await catalog())).toEqual([['hero'], ['a', 'b']])
  })

  it('of an item that was changed since is not published over it', async () => {
    await admin('POST', '/catalog', both('a'))
    await admin('POST', '/catalog', { content: [content('a', { stock: 1 }), content('b')], draft: true, revision: 1 })
    await admin('PUT', '/content/a', content('a', { stock: 2 }))
    expect(await admin('POST', '/catalog', { content: [], draft: true, revision: 1 })).toMatchObject({ status: 409 })
    expect(await admin('POST', '/catalog/publish')).toMatchObject({
      status: 409,
      error: { code: 'conflict', message: expect.stringContaining('content a was changed since it was drafted') },
    })
    expect(await admin('POST', '/catalog/publish', { revision: 1 })).toMatchObject({ status: 409 })
    expect(idsOf(await catalog())).toEqual([['hero'], ['a']])
    expect(await admin('GET', '/catalog?draft=1')).toMatchObject({ content: [{ stock: 1 }, { id: 'b' }] })
  })

  it('that no longer means anything is not published', async () => {
    const segments = [{ name: 'campers', where: { 'traits.hobby': 'camp' } }]
    await admin('PUT', '/segments', { segments })
    await admin('PUT', '/slots/hero', {})
    const where = { segments: { $in: ['campers'] } }
    expect(await admin('POST', '/catalog', { content: [content('a', { where })], draft: true })).toMatchObject({
      status: 200,
    })
    await admin('PUT', '/segments', { segments: [] })
    expect(await admin('POST', '/catalog/publish')).toMatchObject({
      status: 400,
      error: { message: expect.stringMatching(/content a: where\.segments.*there is no segment "campers"/) },
    })
    expect((await catalog()).content).toEqual([])
  })
})

describe('what slots and contents mean', () => {
  it('is checked among the features, segments and signals of the site', async () => {
    await admin('PUT', '/segments', { segments: [{ name: 'campers', where: { 'traits.hobby': 'camp' } }] })
    await admin('PUT', '/slots/hero', {})
    const where = (condition: object) => ({ content: [content('a', { where: condition })] })
    const campaign = (condition: object) => ({
      slots: [hero({ campaigns: [{ id: 'c', contentIds: ['a'], mode: 'pin', where: condition }] })],
    })
    const reward = (condition: object) => ({
      slots: [hero({ rewards: [{ event: 'Order Completed', windowHours: 1, where: condition }] })],
    })
    for (const [body, why] of [
      [
        where({ segments: { $in: ['camper'] } }),
        'content[0]: where.segments: there is no segment "camper": did you mean "campers"?',
      ],
      [where({ 'features.veiws': 1 }), 'content[0]: where.features.veiws: there is no feature "veiws"'],
      [where({ signals: { $in: ['x'] } }), 'there is no signal "x"'],
      [where({ 'traits.a': { $regex: '(' } }), 'content[0]: where.traits.a.$regex'],
      [where({ 'properties.price': 1 }), 'there is no attribute "properties"'],
      [campaign({ 'traits.a': { $gtt: 1 } }), 'slots[0]: campaigns[0].where.traits.a.$gtt: unknown operator $gtt'],
      [reward({ 'traits.a': { $gtt: 1 } }), 'slots[0]: rewards[0].where.traits.a.$gtt'],
      [reward({ 'propertys.total': 1 }), 'slots[0]: rewards[0].where.propertys.total: messages have no propertys'],
    ] as const) {
      const answer = await admin('POST', '/catalog', body)
      expect([answer.status, answer.error?.message]).toEqual([400, expect.stringContaining(why)])
    }
    const ok = {
      segments: { $in: ['campers'] },
      'context.page.path': '/',
      'profile.sessions': { $gte: 2 },
      signals: { $in: ['interest_shift'] },
    }
    expect(await admin('POST', '/catalog', { ...campaign(ok), ...where(ok) })).toMatchObject({ status: 200 })
  })

  it('has bounds for all of a catalog', async () => {
    const patterns = (n: number) => ({
      $or: Array.from({ length: 10 }, (_, m) => ({ 'traits.a': { $regex: `^${n}-${m}` } })),
    })
    const body = (from: number, to: number) => ({
      slots: [hero()],
      content: Array.from({ length: to - from }, (_, n) => content(`c${from + n}`, { where: patterns(from + n) })),
    })
    expect(await admin('POST', '/catalog', body(0, 5))).toMatchObject({ status: 200 })
    expect(await admin('POST', '/catalog', body(5, 6))).toMatchObject({
      status: 400,
      error: { message: 'nothing was stored: the catalog would have 60 regular expressions, 50 are allowed' },
    })
    await admin('DELETE', '/content/c0')
    expect(await admin('POST', '/catalog', body(5, 6))).toMatchObject({ status: 200 })
    const slots = Array.from({ length: 1_001 }, (_, n) => ({ id: `s${n}` }))
    expect(await admin('POST', '/catalog', { slots })).toMatchObject({
      status: 400,
      error: { message: expect.stringContaining('1002 slots, 1000 are allowed') },
    })
  })

  it('is that payloads fit the schemas of their slots', async () => {
    const schema = {
      type: 'object',
      properties: { title: { type: 'string', pattern: '^[A-Z]' }, price: { type: 'number' } },
      required: ['title'],
      additionalProperties: false,
    }
    const payload = (value: object) => ({ content: [content('a', { payload: value })] })
    await admin('POST', '/catalog', { slots: [hero({ schema })], content: [] })
    for (const [value, why] of [
      [{}, 'content[0]: payload.title is missing (schema of slot hero)'],
      [{ title: 5 }, 'payload.title must be string, not number'],
      [{ title: 'Tent', prise: 1 }, 'payload.prise is not in the schema'],
      [{ title: 'tent' }, 'payload.title must match pattern'],
    ] as const)
      expect(await admin('POST', '/catalog', payload(value))).toMatchObject({
        status: 400,
        error: { message: expect.stringContaining(why) },
      })
    expect(await admin('POST', '/catalog', payload({ title: 'Tent', price: 1 }))).toMatchObject({ status: 200 })
    // A schema that what is there does not fit is refused as well.
    const stricter = { ...schema, required: ['title', 'image'] }
    expect(await admin('PUT', '/slots/hero', { schema: stricter })).toMatchObject({
      status: 400,
      error: { message: expect.stringContaining('schema: content a does not fit: payload.image is missing') },
    })
    for (const unusable of [{ type: 'nonsense' }, { type: 'object', $ref: 'https://evil.example/schema' }])
      expect(await admin('PUT', '/slots/hero', { schema: unusable })).toMatchObject({
        status: 400,
        error: { message: expect.stringContaining('schema: ') },
      })
  })

  it('tells twice the same id, and warns of content that a slot lists and that there is not', async () => {
    expect(await admin('POST', '/catalog', both('a', 'a'))).toMatchObject({
      status: 400,
      error: { message: expect.stringContaining('content[1]: id is the one of content[0], too') },
    })
    const slots = [
      hero({
        policy: { type: 'fixed', contentIds: ['a', 'x'] },
        campaigns: [{ id: 'c', contentIds: ['y', 'a'], mode: 'boost' }],
      }),
    ]
    expect(await admin('POST', '/catalog', { ...both('a'), slots })).toEqual({
      ...{ status: 200, revision: 1, slots: 1, content: 1 },
      warnings: ['x', 'y'].map(id => `slot hero lists content "${id}", which there is not`),
    })
  })
})

describe('decision tests', () => {
  const NEVER = {
    name: 'pros never see a',
    given: { profile: { traits: { plan: 'pro' } } },
    slot: 'hero',
    expect: { never: ['a'] },
  }

  it('that are sent with a catalog keep it from being published where they fail', async () => {
    const failing = await admin('POST', '/catalog', { ...both('a', 'b'), tests: [NEVER] })
    expect(failing).toMatchObject({
      status: 400,
      error: {
        message: 'nothing was stored: a decision test fails: tests[0] pros never see a: never a: it can be shown',
        details: ['tests[0] pros never see a: never a: it can be shown'],
      },
    })
    expect(await catalog()).toMatchObject({ revision: 0, content: [] })
    const where = { 'traits.plan': { $ne: 'pro' } }
    const good = { slots: [hero()], content: [content('a', { where }), content('b')] }
    expect(await admin('POST', '/catalog', { ...good, tests: [NEVER] })).toMatchObject({ status: 200, revision: 1 })
    // What is served already counts as well.
    expect(await admin('POST', '/catalog', { content: [content('a')], tests: [NEVER] })).toMatchObject({ status: 400 })
    expect(await admin('POST', '/catalog', { tests: [{ ...NEVER, expect: {} }] })).toMatchObject({
      status: 400,
      error: { message: expect.stringContaining('tests[0].expect must be an object') },
    })
  })

  it('that pass keep it from being published where another person breaks them', async () => {
    const where = { $or: [{ 'traits.plan': { $ne: 'pro' } }, { 'traits.visits': { $gte: 5 } }] }
    const holed = { slots: [hero()], content: [content('a', { where }), content('b')] }
    const message = 'tests[0] pros never see a: never a: it can be shown where traits.visits is 5'
    expect(await admin('POST', '/catalog', { ...holed, tests: [NEVER] })).toMatchObject({
      status: 400,
      error: { details: [message] },
    })
    await admin('POST', '/catalog', { ...holed, draft: true })
    expect(await admin('POST', '/catalog/publish', { tests: [NEVER] })).toMatchObject({
      status: 400,
      error: { details: [message] },
    })
    expect(await catalog()).toMatchObject({ revision: 0, content: [] })
    const said = { ...NEVER, given: { profile: { traits: { plan: 'pro', visits: 4 } } } }
    expect(await admin('POST', '/catalog/publish', { tests: [said] })).toMatchObject({ status: 200, revision: 1 })
  })

  it('that are sent to publish a draft keep it a draft where they fail', async () => {
    await admin('POST', '/catalog', { ...both('a'), draft: true })
    expect(await admin('POST', '/catalog/publish', { tests: [NEVER] })).toMatchObject({ status: 400 })
    expect(idsOf(await admin('GET', '/catalog?draft=1'))).toEqual([['hero'], ['a']])
    expect(await admin('POST', '/catalog/publish', { tests: [{ ...NEVER, expect: { always: ['a'] } }] })).toMatchObject(
      {
        ...{ status: 200, revision: 1, added: 2 },
      },
    )
  })
})

describe('the catalog command', () => {
  const EXAMPLE = fileURLToPath(new URL('../../examples/catalog', import.meta.url))
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slotstream-catalog-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  /** What a command says, and how it fails. */
  async function command(...args: string[]): Promise<{ said: string[]; failed: string | undefined }> {
    const said: string[] = []
    const order = parseArguments([...args, '--site', site, '--collector', other], {})
    const failed = await runCommand(order, { ADMIN_TOKEN }, line => said.push(line)).then(
      () => undefined,
      (error: Error) => error.message,
    )
    return { said, failed }
  }
  const write = (name: string, value: unknown) => writeFile(join(folder, name), JSON.stringify(value))

  it('publishes a folder, tells what differs, and gets it back', async () => {
    const differences = [
      ...['+ slot shop-hero', '+ slot shop-list'],
      ...['tents', 'lamps', 'welcome', 'winter-sale'].map(id => `+ content ${id}`),
      '> slot shop-list takes lamps, tents',
    ]
    expect(await command('diff', EXAMPLE)).toEqual({ said: differences, failed: undefined })
    const passed = '5 decision tests passed'
    expect((await command('push', EXAMPLE, '--dry-run')).said).toEqual([
      ...differences,
      passed,
      'Nothing was published: it was a dry run.',
    ])
    expect((await catalog()).revision).toBe(0)
    expect(await command('push', EXAMPLE)).toEqual({
      said: [...differences, passed, `${site}: catalog revision 1`],
      failed: undefined,
    })
    const nothing = 'Nothing to publish: the site has all of it.'
    expect((await command('push', EXAMPLE)).said).toEqual([passed, nothing])
    expect((await command('diff', EXAMPLE)).said).toEqual([nothing])
    expect((await command('pull', folder)).said).toEqual(
      ['slots', 'content'].map(list => `wrote ${join(folder, `${list}.json`)}`),
    )
    expect(await command('diff', folder)).toEqual({ said: [nothing], failed: undefined })
    expect((await command('pull', folder)).said).toEqual(['The folder has everything that is published.'])
  })

  it('removes what the files do not have, and leaves a list without a file alone', async () => {
    await admin('POST', '/catalog', both('a', 'b'))
    await write('content.json', [content('b', { stock: 3 }), content('c')])
    expect((await command('push', folder)).said).toEqual([
      '+ content c',
      '~ content b: stock nothing → 3',
      '- content a',
      `${site}: catalog revision 2`,
    ])
    expect(idsOf(await catalog())).toEqual([['hero'], ['b', 'c']])
    await write('slots.json', [hero({ policy: { type: 'fixed', contentIds: ['x'] } })])
    expect((await command('push', folder, '--draft')).said).toEqual([
      '~ slot hero: policy nothing → {"type":"fixed","contentIds":["x"]}',
      `${site}: drafted after revision 2`,
      '! slot hero lists content "x", which there is not',
    ])
    expect((await catalog()).revision).toBe(2)
    await write('content.json', [])
    const pulled = await command('pull', folder)
    expect(pulled.said).toContainEqual(expect.stringContaining('content.json differs from what is published'))
    expect(await readFile(join(folder, 'content.json'), 'utf8')).toBe('[]')
    await command('pull', folder, '--force')
    expect((await readFolder(folder)).content).toHaveLength(2)
  })

  it('tells what the collector refuses, and publishes nothing', async () => {
    await write('slots.json', [hero()])
    await write('content.json', [content('a', { where: { segments: { $in: ['vip'] } } })])
    const { failed } = await command('push', folder)
    expect(failed).toContain('content[0]: where.segments: there is no segment "vip"')
    expect((await catalog()).revision).toBe(0)
  })
})

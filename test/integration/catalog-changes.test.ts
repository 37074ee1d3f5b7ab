import { describe, expect, it } from 'vitest'
import { hostileEntries } from '../security/hostile-values.js'
import {
  type CatalogOfTest,
  catalogWith,
  content,
  hero,
  type Item,
  idsOf,
  setUpCatalog,
} from '../support/set-up-catalog.js'

let broker: CatalogOfTest['broker']
let program: CatalogOfTest['program']
let site: CatalogOfTest['site']
const { admin, catalog, history, published } = setUpCatalog(current => {
  ;({ broker, program, site } = current)
})

describe('a change', () => {
  it('of the whole removes what it does not name', async () => {
    await admin('POST', '/catalog', catalogWith('a', 'b'))
    expect(await admin('POST', '/catalog', { ...catalogWith('b', 'c'), replace: true })).toMatchObject({ revision: 2 })
    expect(idsOf(await catalog())).toEqual([['hero'], ['b', 'c']])
    // A content whose slot is not named has none.
    expect(await admin('POST', '/catalog', { content: [content('b')], replace: true })).toMatchObject({ status: 400 })
    expect(await admin('POST', '/catalog', { replace: true })).toMatchObject({ status: 200 })
    expect(idsOf(await catalog())).toEqual([[], []])
  })

  it('that a collector could not finish is finished by the next one', async () => {
    await admin('POST', '/catalog', catalogWith('a', 'b'))
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
    await admin('POST', '/catalog', catalogWith('a'))
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
    await admin('POST', '/catalog', catalogWith('a'))
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
    await admin('POST', '/catalog', catalogWith('a', 'b'))
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
    await admin('POST', '/catalog', catalogWith('a', 'b'))
    await admin('POST', '/catalog', { ...catalogWith('c'), draft: true, replace: true })
    expect(idsOf(await admin('GET', '/catalog?draft=1'))).toEqual([['hero'], ['c']])
    expect(await admin('DELETE', '/catalog/draft')).toMatchObject({ status: 200 })
    expect(await admin('POST', '/catalog/publish')).toMatchObject({ status: 404 })
    expect(idsOf(await catalog())).toEqual([['hero'], ['a', 'b']])
  })

  it('of an item that was changed since is not published over it', async () => {
    await admin('POST', '/catalog', catalogWith('a'))
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
    // Drafted once more, be it the same, it is from what is published now.
    await admin('POST', '/catalog', { content: [content('a', { stock: 1 })], draft: true })
    expect(await admin('POST', '/catalog/publish')).toMatchObject({ status: 200, added: 1, changed: 1 })
    expect((await catalog()).content).toMatchObject([{ stock: 1 }, { id: 'b' }])
  })

  it('takes an item back to what it was when it was drafted first, though it was changed since', async () => {
    await admin('POST', '/catalog', catalogWith('a'))
    await admin('POST', '/catalog', { content: [content('a', { stock: 1 })], draft: true })
    await admin('PUT', '/content/a', content('a', { stock: 2 }))
    await admin('POST', '/catalog', { content: [content('a')], draft: true })
    expect(idsOf(await admin('GET', '/catalog?draft=1'))).toEqual([['hero'], ['a']])
    expect(await admin('POST', '/catalog/publish')).toMatchObject({ status: 200, changed: 1 })
    expect((await catalog()).content[0]).not.toHaveProperty('stock')
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

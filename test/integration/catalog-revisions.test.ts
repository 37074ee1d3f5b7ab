import { keyToken } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { putSite } from '../support/collector.js'
import { type CatalogOfTest, catalogWith, content, hero, idsOf, setUpCatalog } from '../support/set-up-catalog.js'

let broker: CatalogOfTest['broker']
let program: CatalogOfTest['program']
let other: CatalogOfTest['other']
let site: CatalogOfTest['site']
const { admin, catalog, history, published } = setUpCatalog(current => {
  ;({ broker, program, other, site } = current)
})

describe('the revision of a catalog', () => {
  it('grows with each change, by whichever route, and not without one', async () => {
    expect(await catalog()).toEqual({ status: 200, revision: 0, slots: [], content: [] })
    const steps: [string, string, object | undefined, number][] = [
      ['PUT', '/slots/hero', {}, 1],
      ['PUT', '/content/tent', content('tent'), 2],
      ['POST', '/catalog', catalogWith('tent', 'lamp'), 3],
      ['POST', '/catalog', catalogWith('tent', 'lamp'), 3],
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
    expect(await admin('POST', '/catalog', { ...catalogWith('a'), revision: 0 })).toEqual({
      status: 200,
      revision: 1,
      slots: 1,
      content: 1,
    })
    expect(await admin('POST', '/catalog', { ...catalogWith('b'), revision: 0 })).toMatchObject({
      status: 409,
      error: { code: 'conflict', message: expect.stringContaining('its revision is 1') },
    })
    expect(await admin('POST', '/catalog', { ...catalogWith('b'), revision: 1 })).toMatchObject({ revision: 2 })
    expect(await admin('POST', '/catalog', { revision: '1' })).toMatchObject({ status: 400 })
    // An answer can be sent back as it is.
    const { status: _not, ...whole } = await catalog()
    expect(await admin('POST', '/catalog', whole)).toMatchObject({ status: 200, revision: 2 })
  })

  it.each(['slots', 'content'])('is taken by PUT and DELETE of %s', async folder => {
    const path = `/${folder}/hero`
    const body = (count: number) => (folder === 'slots' ? { count } : content('hero', { stock: count, slots: [] }))
    expect(await admin('PUT', path, { ...body(1), revision: 0 })).toMatchObject({ status: 200, id: 'hero' })
    expect(await admin('PUT', path, { ...body(2), revision: 0 })).toMatchObject({
      status: 409,
      error: { code: 'conflict', message: expect.stringContaining('its revision is 1') },
    })
    const stored = await admin('PUT', path, { ...body(2), revision: 1 })
    expect(stored).toMatchObject({ status: 200, [folder === 'slots' ? 'count' : 'stock']: 2 })
    expect(stored).not.toHaveProperty('revision')
    for (const wrong of ['1', -1, 1.5])
      expect((await admin('PUT', path, { ...body(3), revision: wrong })).status).toBe(400)
    for (const [query, sent, status] of [
      ['?revision=1', undefined, 409],
      ['', { revision: 1 }, 409],
      ['?revision=first', undefined, 400],
      ['?revision=', undefined, 400],
      ['', { revison: 2 }, 400],
    ] as const)
      expect(await admin('DELETE', `${path}${query}`, sent), query).toMatchObject({ status })
    expect((await catalog()).revision).toBe(2)
    expect(await admin('DELETE', `${path}?revision=2`)).toEqual({ status: 200, deleted: true })
    await admin('PUT', path, body(1))
    expect(await admin('DELETE', path, { revision: 5 })).toMatchObject({ status: 409 })
    expect(await admin('DELETE', path, { revision: 4 })).toEqual({ status: 200, deleted: true })
    expect((await catalog()).revision).toBe(5)
    expect(await admin('PUT', path, body(1))).toMatchObject({ status: 200 })
    expect(await admin('DELETE', path)).toEqual({ status: 200, deleted: true })
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
    await admin('POST', '/catalog', catalogWith('a'))
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
    expect(await admin('POST', '/catalog', catalogWith('a'))).toMatchObject({ revision: 2 })
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
    await admin('POST', '/catalog', catalogWith('a', 'b'))
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

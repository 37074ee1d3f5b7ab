import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readDefinitions } from '#cli/profiles/definition-folder.js'
import { parseArguments } from '#cli/profiles/parse-arguments.js'
import { runCommand } from '#cli/profiles/run-command.js'
import { hostileEntries } from '../security/hostile-values.js'
import { ADMIN_TOKEN, putSite, startBroker } from '../support/collector.js'
import { outcomeOf } from '../support/command-outcome.js'

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

interface Answer {
  status: number
  revision: number
  features: object[]
  patterns: object[]
  segments: object[]
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

async function historyOf(kind: string): Promise<{ revision: number; at: string }[]> {
  const { status, ...answer } = await admin('GET', `/${kind}/history`)
  expect(status).toBe(200)
  return Object.values(answer) as never
}

const VIEWS = {
  name: 'views',
  source: { event: 'Product Viewed', where: { 'properties.price': { $gt: 10 } } },
  by: 'properties.category',
  aggregate: 'count',
  window: 'lifetime',
}
const LEFT_CART = {
  name: 'left-cart',
  sequence: [
    { event: 'Product Added', key: 'properties.cart_id' },
    { not: { event: 'Order Completed', key: 'properties.cart_id' }, within: '30m' },
  ],
}
const CAMPERS = { name: 'campers', where: { 'features.views.camp': { $gte: 2 } } }
/** A segment that needs no other set. */
const PROS = { name: 'pros', where: { 'traits.plan': 'pro' } }

const SETS = [
  ['features', [VIEWS]],
  ['patterns', [LEFT_CART]],
  ['segments', [CAMPERS]],
] as const

describe('the definitions of a site', () => {
  it('are empty at first, are put as a whole, and read by every collector', async () => {
    for (const [kind] of SETS) expect(await admin('GET', `/${kind}`)).toEqual({ status: 200, revision: 0, [kind]: [] })
    for (const [kind, items] of SETS) {
      const stored = await admin('PUT', `/${kind}`, { [kind]: items })
      expect(stored).toEqual({ status: 200, revision: expect.any(Number), [kind]: items })
      expect(stored.revision).toBeGreaterThan(0)
      expect(await admin('GET', `/${kind}`, undefined, program.url)).toEqual(stored)
    }
  })

  it('stay as they are where the whole collector starts again', async () => {
    const stored = await admin('PUT', '/features', { features: [VIEWS] }, program.url)
    await program.end('SIGKILL')
    await program.start()
    expect(await admin('GET', '/features', undefined, program.url)).toEqual(stored)
    expect(await historyOf('features')).toMatchObject([{ revision: stored.revision }])
  })

  it('keep their revision when an equal set is put, and get a greater one with each change', async () => {
    const first = await admin('PUT', '/features', { features: [VIEWS] })
    const { name, ...rest } = VIEWS
    expect(await admin('PUT', '/features', { features: [{ ...rest, name }] })).toEqual(first)
    const second = await admin('PUT', '/features', { features: [{ ...VIEWS, window: '30d' }] })
    expect(second.revision).toBeGreaterThan(first.revision)
    expect(await historyOf('features')).toHaveLength(2)
  })

  it('with faults are rejected with a line for each, and what was there stays', async () => {
    const before = await admin('PUT', '/features', { features: [VIEWS] })
    const { aggregate: _left, ...rest } = VIEWS
    const answer = await admin('PUT', '/features', {
      features: [
        VIEWS,
        { ...VIEWS, name: 'b', window: 'week' },
        { ...rest, name: 'c', agregate: 'count', source: { event: 'E', where: { 'propertis.price': 1 } } },
      ],
    })
    expect(answer.status).toBe(400)
    expect(answer.error.code).toBe('malformed')
    expect(answer.error.message).toContain('nothing was stored: features[1].window: must be')
    expect(answer.error.details).toEqual([
      expect.stringMatching(/^features\[1\]\.window: must be .*, not "week"$/),
      'features[2].agregate: unknown field, did you mean "aggregate"?',
      expect.stringMatching(/^features\[2\]\.source\.where.*did you mean properties\.price/),
    ])
    for (const [body, why] of [
      [{}, 'features: must be a list, not nothing'],
      [{ feature: [] }, 'feature is unknown: did you mean features?'],
      [{ features: [], revision: '3' }, 'revision must be a whole number'],
    ] as const)
      expect(await admin('PUT', '/features', body)).toMatchObject({
        status: 400,
        error: { code: 'malformed', message: expect.stringContaining(why) },
      })
    for (const [path, body, line] of [
      ['/segments/preview', { were: {} }, 'were is unknown: did you mean where?'],
      ['/profiles:batch', { visitor: [] }, 'visitor is unknown: did you mean visitors?'],
      ['/profiles:batch', { visitors: ['a', 5] }, 'visitors[1]: must be the id of a visitor, not 5'],
      ['/features/rollback', { revison: 1 }, 'revison is unknown: did you mean revision?'],
    ] as const)
      expect(await admin('POST', path, body)).toMatchObject({ status: 400, error: { details: [line] } })
    expect(await admin('GET', '/features')).toEqual(before)
  })

  it('with conditions that cannot be used, or names that there are not, are rejected', async () => {
    await admin('PUT', '/features', { features: [VIEWS] })
    for (const [kind, item, why] of [
      ['features', { ...VIEWS, source: { event: 'E', where: { 'properties.price': { $gtt: 1 } } } }, '$gtt'],
      [
        'patterns',
        { name: 'a', event: 'E', where: { 'properties.x': { $regex: '(' } }, count: 2 },
        'patterns[0].where',
      ],
      ['segments', { name: 'a', where: { 'features.vews': 1 } }, 'did you mean "views"'],
      ['segments', { name: 'a', where: { segments: { $in: ['b'] } } }, 'there is no segment "b"'],
      ['segments', { name: 'a', where: { segments: { $in: ['a'] } } }, 'depends on itself'],
    ] as const)
      expect(await admin('PUT', `/${kind}`, { [kind]: [item] })).toMatchObject({
        status: 400,
        error: { code: 'malformed', message: expect.stringContaining(why) },
      })
    // Signals of built-in patterns are there, and of the site's own.
    const signals = ['left-cart', 'cart_abandonment', 'interest_shift']
    const segments = [{ ...CAMPERS, where: { signals: { $in: signals } } }]
    expect(await admin('PUT', '/segments', { segments })).toMatchObject({ status: 400 })
    await admin('PUT', '/patterns', { patterns: [LEFT_CART] })
    expect(await admin('PUT', '/segments', { segments })).toMatchObject({ status: 200 })
  })

  it('answer other methods with those that are possible', async () => {
    for (const [method, path, allowed] of [
      ['POST', '/features', 'GET or PUT'],
      ['DELETE', '/segments', 'GET or PUT'],
      ['GET', '/patterns/rollback', 'POST'],
    ] as const)
      expect(await admin(method, path)).toMatchObject({
        status: 405,
        error: { code: 'method_not_allowed', message: `${method} is not possible here: use ${allowed}` },
      })
    expect(await admin('GET', '/nonsense')).toMatchObject({ status: 404 })
    expect(await admin('GET', '/patterns/interest_shift/explain')).toMatchObject({
      status: 200,
      kind: 'detector',
      builtin: true,
    })
  })

  it('that others name may be taken away, with a warning', async () => {
    await admin('PUT', '/features', { features: [VIEWS] })
    expect(await admin('PUT', '/segments', { segments: [CAMPERS] })).not.toHaveProperty('warnings')
    expect(await admin('PUT', '/features', { features: [] })).toMatchObject({
      status: 200,
      warnings: [expect.stringMatching(/^segments\[0\]\.where.*there is no feature "views"/)],
    })
  })

  it('are told with the built-in ones that are in use, when asked', async () => {
    await admin('PUT', '/patterns', { patterns: [LEFT_CART, { name: 'rage_clicks', off: true }] })
    const { patterns } = await admin('GET', '/patterns?builtin=1')
    expect(patterns.slice(0, 2)).toEqual([LEFT_CART, { name: 'rage_clicks', off: true }])
    const builtIn = patterns.slice(2) as { name: string; builtin: boolean }[]
    expect(builtIn.map(({ name }) => name)).toContain('cart_abandonment')
    expect(builtIn.map(({ name }) => name)).not.toContain('rage_clicks')
    expect(builtIn.every(({ builtin }) => builtin)).toBe(true)
    expect((await admin('GET', '/patterns')).patterns).toHaveLength(2)
  })

  it('are not stored over a change that the caller has not seen', async () => {
    const first = await admin('PUT', '/features', { features: [VIEWS], revision: 0 })
    expect(first.status).toBe(200)
    const second = await admin('PUT', '/features', { features: [], revision: first.revision })
    expect(second.status).toBe(200)
    expect(await admin('PUT', '/features', { features: [VIEWS], revision: first.revision })).toMatchObject({
      status: 409,
      error: { code: 'conflict', message: expect.stringContaining(`their revision is ${second.revision}`) },
    })
    expect(await admin('GET', '/features')).toEqual(second)
  })

  it('of many writers at a time are each stored in turn, or refused where they name the revision', async () => {
    const set = (n: number) => ({ segments: [{ ...PROS, name: `s${n}` }] })
    const urls = [program.url, other]
    const all = await Promise.all(Array.from({ length: 8 }, (_, n) => admin('PUT', '/segments', set(n), urls[n % 2])))
    expect(all.map(({ status }) => status)).toEqual(Array(8).fill(200))
    expect(new Set(all.map(({ revision }) => revision)).size).toBe(8)
    const { revision } = await admin('GET', '/segments')
    const raced = await Promise.all(
      Array.from({ length: 8 }, (_, n) => admin('PUT', '/segments', { ...set(10 + n), revision }, urls[n % 2])),
    )
    expect(raced.map(({ status }) => status).toSorted()).toEqual([200, ...Array(7).fill(409)])
  })

  it('are those of their site alone, and leave with it', async () => {
    await admin('PUT', '/features', { features: [VIEWS] })
    const [{ revision } = { revision: 0 }] = await historyOf('features')
    const first = site
    site = `shop-${++sites}`
    await putSite(other, site)
    expect(await admin('GET', '/features')).toMatchObject({ revision: 0, features: [] })
    expect(await admin('GET', `/features/history/${revision}`)).toMatchObject({ status: 404 })
    site = first
    expect(await admin('DELETE', '')).toMatchObject({ status: 200 })
    expect(await admin('GET', '/features')).toMatchObject({ status: 404 })
    await putSite(other, site)
    expect((await admin('GET', '/features')).features).toEqual([])
    expect(await historyOf('features')).toEqual([])
    expect(await admin('GET', `/features/history/${revision}`)).toMatchObject({ status: 404 })
    // A revision of the old site that a client remembers is none of the new one.
    const again = await admin('PUT', '/features', { features: [VIEWS] })
    expect(again.revision).toBeGreaterThan(revision)
    expect((await historyOf('features')).map(entry => entry.revision)).toEqual([again.revision])
  })

  it('whose value in the bucket is no set are none, and can be put again', async () => {
    const { revision } = await admin('PUT', '/features', { features: [VIEWS] })
    for (const { key, values } of hostileEntries(0, '', {}).definitions ?? [])
      for (const value of values) await broker.nats.js.publish(`$KV.definitions.${key.replace(/^demo/, site)}`, value)
    for (const [kind] of SETS)
      expect(await admin('GET', `/${kind}`)).toMatchObject({ status: 200, [kind]: expect.any(Array) })
    await broker.nats.js.publish(`$KV.definitions.${site}.features`, '{"items":[{"name":7}]}')
    const read = await admin('GET', '/features')
    expect(read).toMatchObject({ status: 200, features: [] })
    expect(read.revision).toBeGreaterThan(revision)
    expect(await admin('GET', `/features/history/${read.revision}`)).toMatchObject({ status: 404 })
    expect(await admin('PUT', '/features', { features: [VIEWS] })).toMatchObject({ status: 200, features: [VIEWS] })
  })

  it('whose value is no set are rolled back to one that is', async () => {
    const { revision } = await admin('PUT', '/features', { features: [VIEWS] })
    await broker.nats.js.publish(`$KV.definitions.${site}.features`, 'not JSON')
    expect(await admin('POST', '/features/rollback', { revision })).toMatchObject({ status: 200, features: [VIEWS] })
  })
})

describe('the history of definitions', () => {
  it('has every revision with its time, the newest first, and each as it was', async () => {
    const revisions: number[] = []
    for (const window of ['1h', '2h', '3h'])
      revisions.unshift((await admin('PUT', '/features', { features: [{ ...VIEWS, window }] })).revision)
    const history = await historyOf('features')
    expect(history.map(({ revision }) => revision)).toEqual(revisions)
    for (const { at } of history) expect(Math.abs(Date.now() - Date.parse(at))).toBeLessThan(3_600_000)
    expect(await admin('GET', `/features/history/${revisions[2]}`)).toEqual({
      status: 200,
      ...history[2],
      features: [{ ...VIEWS, window: '1h' }],
    })
  })

  it('keeps at least the last 50 revisions', async () => {
    const revisions: number[] = []
    for (let n = 0; n < 70; n++)
      revisions.unshift((await admin('PUT', '/segments', { segments: [{ ...PROS, name: `s${n}` }] })).revision)
    const kept = (await historyOf('segments')).map(({ revision }) => revision)
    expect(kept.length).toBeGreaterThanOrEqual(50)
    expect(kept).toEqual(revisions.slice(0, kept.length))
  })

  it('is rolled back to: the old content is stored once more, as a new revision', async () => {
    const first = await admin('PUT', '/features', { features: [VIEWS] })
    const second = await admin('PUT', '/features', { features: [] })
    const third = await admin('POST', '/features/rollback', { revision: first.revision })
    expect(third).toEqual({ ...first, revision: expect.any(Number) })
    expect(third.revision).toBeGreaterThan(second.revision)
    expect(await admin('GET', '/features')).toEqual(third)
    expect((await historyOf('features')).map(({ revision }) => revision)).toEqual([
      third.revision,
      second.revision,
      first.revision,
    ])
    // What is in use already changes nothing.
    expect(await admin('POST', '/features/rollback', { revision: first.revision })).toEqual(third)
  })

  it.each([
    ['GET', '/features/history/9999999', undefined, 404],
    ['GET', '/features/history/first', undefined, 404],
    ['GET', '/features/history/-1', undefined, 404],
    ['GET', '/features/history/0', undefined, 404],
    ['POST', '/features/rollback', { revision: 9_999_999 }, 404],
    ['POST', '/features/rollback', { revision: '1' }, 400],
    ['POST', '/features/rollback', {}, 400],
    ['POST', '/features/rollback', { revison: 1 }, 400],
  ] as const)('%s %s %j: %d', async (method, path, body, status) => {
    await admin('PUT', '/features', { features: [VIEWS] })
    await admin('PUT', '/patterns', { patterns: [LEFT_CART] })
    expect(await admin(method, path, body)).toMatchObject({ status })
  })

  it('of one kind has no revision of another', async () => {
    await admin('PUT', '/features', { features: [VIEWS] })
    const { revision } = await admin('PUT', '/patterns', { patterns: [LEFT_CART] })
    expect(await admin('GET', `/features/history/${revision}`)).toMatchObject({ status: 404 })
    expect(await admin('POST', '/features/rollback', { revision })).toMatchObject({ status: 404 })
  })
})

describe('the profiles command', () => {
  const EXAMPLE = fileURLToPath(new URL('../../examples/profiles', import.meta.url))
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slotstream-profiles-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  const profiles = (...args: string[]) =>
    outcomeOf(print =>
      runCommand(parseArguments([...args, '--site', site, '--collector', other], {}), { ADMIN_TOKEN }, print),
    )

  it('publishes a folder, tells what differs, and gets it back', async () => {
    const differences = [
      '+ features views',
      '+ features interest',
      '+ features spent_30d',
      '+ features since_order',
      '+ features session_views',
      '+ patterns left-cart',
      '+ segments campers',
      '+ segments big-spenders',
      '+ segments rich-campers',
    ]
    expect(await profiles('diff', EXAMPLE)).toEqual({ said: differences, failed: undefined })
    const dry = await profiles('push', EXAMPLE, '--dry-run')
    expect(dry.said).toEqual([...differences, 'Nothing was published: it was a dry run.'])
    expect((await admin('GET', '/features')).revision).toBe(0)

    const pushed = await profiles('push', EXAMPLE)
    expect(pushed.failed).toBeUndefined()
    expect(pushed.said.slice(differences.length)).toEqual(
      ['features', 'patterns', 'segments'].map(kind => expect.stringMatching(`^${site}: ${kind} revision \\d+$`)),
    )
    expect((await profiles('push', EXAMPLE)).said).toEqual(['Nothing to publish: the site has all of it.'])
    expect((await profiles('diff', EXAMPLE)).said).toEqual(['Nothing to publish: the site has all of it.'])

    const files = ['features', 'patterns', 'segments'].map(kind => join(folder, `${kind}.json`))
    expect((await profiles('pull', folder)).said).toEqual(files.map(path => `wrote ${path}`))
    expect(await readDefinitions(folder)).toEqual(await readDefinitions(EXAMPLE))
    expect((await profiles('pull', folder)).said).toEqual(['The folder has everything that is published.'])
  })

  it('replaces the sets of the files that are there, and leaves the others alone', async () => {
    await profiles('push', EXAMPLE)
    await writeFile(
      join(folder, 'patterns.json'),
      JSON.stringify([
        { ...LEFT_CART, within: '2h' },
        { ...LEFT_CART, name: 'b' },
      ]),
    )
    expect((await profiles('push', folder)).said).toEqual([
      '+ patterns b',
      '~ patterns left-cart: within nothing → "2h"',
      expect.stringContaining('patterns revision'),
    ])
    await writeFile(join(folder, 'patterns.json'), '[]')
    expect((await profiles('push', folder)).said.slice(0, 2)).toEqual(['- patterns left-cart', '- patterns b'])
    expect((await admin('GET', '/features')).features).toHaveLength(5)
    expect((await admin('GET', '/patterns')).patterns).toEqual([])
    // A file of one's own is not written over.
    await writeFile(join(folder, 'features.json'), '[]')
    const pulled = await profiles('pull', folder)
    expect(pulled.said).toContainEqual(expect.stringContaining('features.json differs from what is published'))
    expect(await readFile(join(folder, 'features.json'), 'utf8')).toBe('[]')
    await profiles('pull', folder, '--force')
    expect((await readDefinitions(folder)).definitions.features).toHaveLength(5)
  })

  it('tells every fault with its file, and publishes nothing', async () => {
    await writeFile(join(folder, 'features.json'), JSON.stringify([{ ...VIEWS, agregate: 'count' }]))
    const { failed, said } = await profiles('push', folder)
    expect(failed).toBe(
      `${join(folder, 'features.json')}: features[0].agregate: unknown field, did you mean "aggregate"?\n1 problem: nothing was published`,
    )
    expect(said).toEqual([])
    expect((await admin('GET', '/features')).revision).toBe(0)
  })

  it('says what is wrong when it cannot do its work', async () => {
    const failure = (...args: string[]) => runCommand(parseArguments(args, {}), { ADMIN_TOKEN }, () => {})
    await expect(failure('diff', EXAMPLE, '--site', 'shop', '--collector', 'http://127.0.0.1:9')).rejects.toThrow(
      'no answer from http://127.0.0.1:9',
    )
    await expect(failure('diff', EXAMPLE, '--site', 'nobody', '--collector', other)).rejects.toThrow(
      'there is no site nobody',
    )
  })
})

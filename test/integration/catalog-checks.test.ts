import { describe, expect, it } from 'vitest'
import { catalogWith, content, hero, idsOf, setUpCatalog } from '../support/set-up-catalog.js'

const { admin, catalog } = setUpCatalog(() => {})

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

  it('may be stored again as it was read, after a slot was removed that contents name', async () => {
    await admin('POST', '/catalog', {
      slots: [hero(), { id: 'aside' }],
      content: [content('a', { slots: ['hero', 'aside'] })],
    })
    const line = 'content a names slot "aside", which there is not'
    expect(await admin('DELETE', '/slots/aside')).toMatchObject({ status: 200, warnings: [line] })
    const { slots, content: contents } = await catalog()
    const again = await admin('POST', '/catalog', { slots, content: contents, replace: true })
    expect(again).toMatchObject({ status: 200, warnings: [line] })
    expect(await admin('PUT', '/content/a', { slots: ['hero', 'aside'], category: 'x' })).toMatchObject({ status: 200 })
    for (const [id, named] of [
      ['a', 'other'],
      ['b', 'aside'],
    ] as const)
      expect(await admin('PUT', `/content/${id}`, { slots: [named] })).toMatchObject({ status: 400 })
    const withoutHero = { slots: [], content: contents, replace: true }
    expect(await admin('POST', '/catalog', withoutHero)).toMatchObject({
      status: 400,
      error: { message: expect.stringContaining('the site has no slot "hero"') },
    })
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
    // A schema that what is there does not fit is rejected as well.
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
    expect(await admin('POST', '/catalog', catalogWith('a', 'a'))).toMatchObject({
      status: 400,
      error: { message: expect.stringContaining('content[1]: id is the one of content[0], too') },
    })
    const slots = [
      hero({
        policy: { type: 'fixed', contentIds: ['a', 'x'] },
        campaigns: [{ id: 'c', contentIds: ['y', 'a'], mode: 'boost' }],
      }),
    ]
    expect(await admin('POST', '/catalog', { ...catalogWith('a'), slots })).toEqual({
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
    const failing = await admin('POST', '/catalog', { ...catalogWith('a', 'b'), tests: [NEVER] })
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
    const misspelt = { ...NEVER, expect: { never: ['aa'] } }
    const warnings = ['tests[0] pros never see a: never aa: there is no such content']
    expect(await admin('POST', '/catalog', { ...catalogWith('a'), draft: true, tests: [misspelt] })).toMatchObject({
      warnings,
    })
    expect(await admin('POST', '/catalog/publish', { tests: [NEVER] })).toMatchObject({ status: 400 })
    expect(idsOf(await admin('GET', '/catalog?draft=1'))).toEqual([['hero'], ['a']])
    expect(await admin('POST', '/catalog/publish', { tests: [{ ...NEVER, expect: { always: ['a'] } }] })).toMatchObject(
      {
        ...{ status: 200, revision: 1, added: 2 },
      },
    )
  })
})

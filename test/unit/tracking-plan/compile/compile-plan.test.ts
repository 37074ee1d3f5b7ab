import { setImmediate as nextTurn } from 'node:timers/promises'
import type { JsonObject, StoredMessage, TrackingPlan } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { compilePlan, PlanError } from '#tracking-plan/compile/compile-plan.js'

const viewed = (rest: JsonObject = {}): JsonObject => ({
  type: 'object',
  properties: {
    product_id: { type: 'string' },
    price: { type: 'number', minimum: 0 },
    currency: { enum: ['EUR', 'USD'] },
    products: { type: 'array', items: { type: 'object', required: ['sku'] } },
  },
  required: ['product_id'],
  ...rest,
})

const track = (properties: JsonObject, rest: Partial<StoredMessage> = {}): StoredMessage => ({
  messageId: 'm',
  type: 'track',
  event: 'Product Viewed',
  anonymousId: 'v',
  timestamp: '2026-01-01T00:00:00.000Z',
  properties,
  ...rest,
})

const plan = (schemas: TrackingPlan['schemas'], rest: Partial<TrackingPlan> = {}): TrackingPlan => ({
  mode: 'enforce',
  unplanned: 'allow',
  schemas,
  ...rest,
})

describe('a message and its tracking plan', () => {
  it('is told where it breaks the plan, and why', async () => {
    const { check } = await compilePlan(
      plan({ 'Product Viewed': { '1-0-0': viewed({ additionalProperties: false }) } }),
    )
    expect(check(track({ product_id: 'p1', price: 3, products: [{ sku: 's' }] }))).toBeUndefined()
    for (const [properties, path, reason] of [
      [{ price: 3 }, '$.properties.product_id', 'properties.product_id is missing'],
      [{ product_id: 1 }, '$.properties.product_id', 'properties.product_id must be string, not number'],
      [{ product_id: 'p', price: -1 }, '$.properties.price', 'properties.price must be >= 0'],
      [{ product_id: 'p', currency: 'X' }, '$.properties.currency', 'properties.currency must be one of "EUR","USD"'],
      [{ product_id: 'p', "it's": 1 }, "$.properties['it\\'s']", 'is not in the schema, which allows no others'],
      [
        { product_id: 'p', products: [{ sku: 's' }, {}] },
        '$.properties.products[1].sku',
        'properties.products[1].sku is missing',
      ],
    ] as [JsonObject, string, string][]) {
      const violation = check(track(properties))
      expect(violation).toMatchObject({ code: 'schema_violation', path, schemaVersion: '1-0-0' })
      expect(violation?.reason).toContain(reason)
      expect(violation?.reason).toContain('(Product Viewed, schema 1-0-0)')
    }
  })

  it('without a version must fit the newest of any model', async () => {
    const { check } = await compilePlan(
      plan({
        'Product Viewed': {
          '1-0-0': { type: 'object' },
          '1-0-1': { type: 'object', required: ['product_id'] },
          '2-0-0': { type: 'object', required: ['sku'] },
          '2-1-0': { type: 'object', required: ['sku', 'price'] },
        },
      }),
    )
    expect(check(track({ sku: 's', price: 1 }))).toBeUndefined()
    expect(check(track({ product_id: 'p' })), 'the model before').toBeUndefined()
    expect(check(track({ sku: 's' }))).toMatchObject({ path: '$.properties.price', schemaVersion: '2-1-0' })
    expect(check(track({}))).toMatchObject({ schemaVersion: '2-1-0' })
  })

  it('with a version must fit this one', async () => {
    const { check } = await compilePlan(plan({ 'Product Viewed': { '1-0-0': { type: 'object' }, '1-0-1': viewed() } }))
    expect(check(track({}, { context: { schemaVersion: '1-0-0' } }))).toBeUndefined()
    expect(check(track({}, { context: { schemaVersion: '1-0-1' } }))).toMatchObject({ schemaVersion: '1-0-1' })
    for (const schemaVersion of ['3-0-0', '', 'constructor', 7, null] as string[])
      expect(check(track({ product_id: 'p' }, { context: { schemaVersion } }))).toMatchObject({
        code: 'unknown_schema_version',
        path: '$.context.schemaVersion',
        reason: expect.stringContaining('there are 1-0-0, 1-0-1'),
      })
  })

  it('of another type is checked by its call, and traits by theirs', async () => {
    const { check } = await compilePlan(
      plan({
        '@page': { '1-0-0': { type: 'object', required: ['section'] } },
        '@identify': { '1-0-0': { type: 'object', properties: { plan: { enum: ['free', 'pro'] } } } },
      }),
    )
    expect(check(track({}, { type: 'page' }))).toMatchObject({ path: '$.properties.section' })
    expect(check(track({}, { type: 'identify', traits: { plan: 'gold' } }))).toMatchObject({ path: '$.traits.plan' })
    expect(check(track({}, { type: 'alias' }))).toBeUndefined()
    expect(check(track({}, { event: '@page' }))).toBeUndefined()
  })

  it('whose event is not in the plan passes, unless the plan wants to know all', async () => {
    const schemas = { 'Product Viewed': { '1-0-0': viewed() } }
    expect((await compilePlan(plan(schemas))).check(track({}, { event: 'Porduct Viewed' }))).toBeUndefined()
    const { check } = await compilePlan(plan(schemas, { unplanned: 'violation' }))
    expect(check(track({}, { event: 'Porduct Viewed' }))).toMatchObject({ code: 'unplanned_event', path: '$.event' })
    for (const event of ['toString', '__proto__'])
      expect(check(track({}, { event }))).toMatchObject({ code: 'unplanned_event' })
    expect(check(track({}, { event: 'Slot Viewed' })), "the product's own").toBeUndefined()
    expect(check(track({}, { type: 'page' }))).toBeUndefined()
  })

  it('that sends a schema in circles is the only one in trouble', async () => {
    const endless = JSON.parse('{"type": "object", "if": {"required": ["x"]}, "then": {"$ref": "#"}}')
    const { check } = await compilePlan(plan({ 'Product Viewed': { '1-0-0': endless } }))
    expect(check(track({}))).toBeUndefined()
    expect(check(track({ x: 1 }))).toMatchObject({ code: 'schema_violation', reason: expect.stringContaining('end') })
  })
})

describe('a plan', () => {
  it('is rejected as a whole, with a line for each schema that does not compile', async () => {
    const wrong = plan({ A: { '1-0-0': { type: 'object', propertys: {} } }, B: { '1-0-0': { type: 'objekt' } } })
    const error = await compilePlan(wrong).catch(caught => caught)
    expect(error).toBeInstanceOf(PlanError)
    expect(error.problems).toEqual([
      'A 1-0-0: strict mode: unknown keyword: "propertys"',
      expect.stringMatching(/^B 1-0-0: \/type must be one of .*object/),
    ])
  })

  it('compiles only what the plan before did not have', async () => {
    const first = await compilePlan(plan({ A: { '1-0-0': viewed() } }))
    const second = await compilePlan(plan({ A: { '1-0-0': viewed() }, B: { '1-0-0': { type: 'object' } } }), first)
    const [known, added] = [...second.compiled.keys()]
    expect(second.compiled.get(known!)).toBe(first.compiled.get(known!))
    expect(first.compiled.has(added!)).toBe(false)
  })

  it('lets the event loop go on between two schemas', async () => {
    let turns = 0
    const ticking = setInterval(() => turns++, 0)
    const schemas = Object.fromEntries(
      Array.from({ length: 30 }, (_, i) => [`E${i}`, { '1-0-0': viewed({ title: `${i}` }) }]),
    )
    await compilePlan(plan(schemas), undefined, nextTurn)
    clearInterval(ticking)
    expect(turns).toBeGreaterThan(5)
  })
})

import type { JsonObject, StoredMessage } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { compilePlan, MAX_PROBLEMS } from '#tracking-plan/compile/compile-plan.js'
import { MAX_EXPLAINED_SUBSCHEMAS } from '#tracking-plan/compile/find-all.js'

const ordered = (properties: JsonObject): StoredMessage => ({
  messageId: 'm',
  type: 'track',
  event: 'Ordered',
  timestamp: '2026-01-01T00:00:00.000Z',
  properties,
})

/** What is told of a message that breaks its schema. */
async function told(schema: JsonObject, properties: JsonObject) {
  const plan = await compilePlan({ mode: 'enforce', unplanned: 'allow', schemas: { Ordered: { '1-0-0': schema } } })
  const message = ordered(properties)
  return plan.explain(message, plan.check(message)!)
}

const money: JsonObject = { type: 'number', minimum: 0 }

describe('a message that breaks its schema in several places', () => {
  it('is told all of them, the first first', async () => {
    const schema = {
      type: 'object',
      required: ['order_id', 'total'],
      properties: { total: money, tax: { $ref: '#/$defs/money' }, currency: { enum: ['EUR', 'USD'] } },
      $defs: { money },
    }
    const violation = await told(schema, { total: '12', tax: -1, currency: 'X' })
    expect(violation.reason).toBe(
      'properties.order_id is missing; properties.total must be number, not string; properties.tax must be >= 0; ' +
        'properties.currency must be one of "EUR","USD" (Ordered, schema 1-0-0)',
    )
    expect(violation).toMatchObject({ path: '$.properties.order_id', schemaVersion: '1-0-0' })
    expect(violation.problems?.map(({ path }) => path)).toEqual([
      '$.properties.order_id',
      '$.properties.total',
      '$.properties.tax',
      '$.properties.currency',
    ])
  })

  it('is told of each product, and of each name that the schema does not have', async () => {
    const products = { type: 'array', items: { type: 'object', required: ['sku'], additionalProperties: false } }
    const schema = { type: 'object', properties: { products }, additionalProperties: false } as JsonObject
    const { problems } = await told(schema, { products: [{ a: 1 }, { b: 1 }], extra: 1 })
    expect(new Set(problems?.map(({ path }) => path))).toEqual(
      new Set([
        ...['$.properties.extra', '$.properties.products[0].sku', '$.properties.products[0].a'],
        ...['$.properties.products[1].sku', '$.properties.products[1].b'],
      ]),
    )
  })

  it.each([
    ['anyOf', { x: { anyOf: [{ type: 'string' }, { type: 'object', required: ['id'] }] } }, { x: 1 }],
    ['oneOf behind references', { x: { oneOf: [{ $ref: '#/$defs/a' }, { $ref: '#/$defs/b' }] } }, { x: { a: 'no' } }],
    ['contains', { x: { type: 'array', contains: { type: 'string' } } }, { x: [1, 2] }],
    ['propertyNames', { x: { type: 'object', propertyNames: { pattern: '^a' } } }, { x: { b: 1 } }],
  ] as [string, JsonObject, JsonObject][])(
    'is told of %s once, not of each alternative',
    async (_what, fields, sent) => {
      const $defs = { a: { type: 'object', properties: { a: money } }, b: { type: 'string' } }
      const schema = { type: 'object', properties: fields, required: ['y'], $defs } as JsonObject
      const { problems } = await told(schema, sent)
      expect(problems).toHaveLength(2)
    },
  )

  it('is told what follows from a condition, not that it was one', async () => {
    const schema = JSON.parse('{"type":"object","if":{"required":["gift"]},"then":{"required":["to","from"]}}')
    const { reason } = await told(schema, { gift: true })
    expect(reason).toBe('properties.to is missing; properties.from is missing (Ordered, schema 1-0-0)')
  })

  it('with one thing wrong is told as before', async () => {
    const violation = await told({ type: 'object', required: ['a'] }, {})
    expect(violation.reason).toBe('properties.a is missing (Ordered, schema 1-0-0)')
    expect(violation).not.toHaveProperty('problems')
  })

  it('is told so many of them, and how many more there are', async () => {
    const names = Array.from({ length: 25 }, (_, n) => `p${n}`)
    const { reason, problems } = await told({ type: 'object', required: names }, {})
    expect(problems).toHaveLength(MAX_PROBLEMS)
    expect(reason).toMatch(/p9 is missing; and 15 more \(Ordered, schema 1-0-0\)$/)
  })

  it('is told the first only where looking for all would cost too much', async () => {
    const list: JsonObject = { type: 'object', properties: { x: { type: 'array', items: { type: 'string' } } } }
    expect(await told(list, { x: Array(100).fill(1) })).toHaveProperty('problems')
    expect(await told(list, { x: Array(15_000).fill(1) })).not.toHaveProperty('problems')
    const properties = Object.fromEntries(
      Array.from({ length: MAX_EXPLAINED_SUBSCHEMAS + 1 }, (_, n) => [`p${n}`, { type: 'string' }]),
    )
    expect(await told({ type: 'object', properties }, { p1: 1, p2: 2 })).not.toHaveProperty('problems')
  })
})

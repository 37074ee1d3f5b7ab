import type { Json, JsonObject, StoredMessage } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { compilePayloadSchema } from '#tracking-plan/compile/compile-payload-schema.js'
import { compilePlan } from '#tracking-plan/compile/compile-plan.js'
import { createWorkPool, MAX_WORK } from '#tracking-plan/compile/work.js'

const TOO_MUCH = /needs too many steps/

const planOf = (schema: JsonObject) =>
  compilePlan({ mode: 'enforce', unplanned: 'allow', schemas: { Searched: { '1-0-0': schema } } })

const searched = (properties: JsonObject): StoredMessage => ({
  messageId: 'm',
  type: 'track',
  event: 'Searched',
  timestamp: '2026-01-01T00:00:00.000Z',
  properties,
})

/** What is told first, and when everything is told. */
async function told(schema: JsonObject, properties: JsonObject) {
  const plan = await planOf(schema)
  const message = searched(properties)
  const violation = plan.check(message)
  return violation && [violation.reason, plan.explain(message, violation).reason]
}

/** A filter of filters. Only `op` tells its alternatives apart; they look at it first or last. */
function filterSchema(order: 'op first' | 'op last'): JsonObject {
  const $ref = '#/$defs/filter'
  const binary = (name: string) => {
    const [op, sides] = [{ op: { const: name } }, { left: { $ref }, right: { $ref } }]
    return { properties: order === 'op first' ? { ...op, ...sides } : { ...sides, ...op }, required: ['op', 'left'] }
  }
  const leaf = { properties: { op: { const: 'eq' }, field: { type: 'string' } }, required: ['op', 'field'] }
  const oneOf = [...['and', 'or', 'xor', 'nand'].map(binary), leaf]
  const $defs = { filter: { type: 'object', oneOf } }
  return { type: 'object', properties: { filter: { $ref } }, $defs } as unknown as JsonObject
}

function filterOf(depth: number, field: string | number): JsonObject {
  let filter: JsonObject = { op: 'eq', field }
  for (let level = 0; level < depth; level++) filter = { op: 'nand', left: filter, right: { op: 'eq', field: 'a' } }
  return { filter }
}

const many = (length: number, entry: (index: number) => Json): Json[] =>
  Array.from({ length }, (_, index) => entry(index))
const byName = (length: number, entry: (index: number) => [string, Json]) =>
  Object.fromEntries(many(length, entry) as [string, Json][])
const list = (schema: object) => ({ type: 'object', properties: { list: schema } }) as unknown as JsonObject

describe('the work of a check', () => {
  it('is bounded where alternatives that refer to themselves multiply with each level', async () => {
    expect(await told(filterSchema('op last'), filterOf(14, 'a'))).toEqual([
      expect.stringMatching(TOO_MUCH),
      expect.stringMatching(TOO_MUCH),
    ])
    expect(await told(filterSchema('op last'), filterOf(2, 'a'))).toBeUndefined()
  })

  it('allows any depth where the first property tells alternatives apart', async () => {
    expect(await told(filterSchema('op first'), filterOf(14, 'a'))).toBeUndefined()
  })

  it('names the first fault only where looking for all of them would multiply', async () => {
    const [first, all] = (await told(filterSchema('op first'), filterOf(12, 1)))!
    expect(first).toMatch(/^properties\.filter/)
    expect(all).toBe(first)
  })

  it.each<[string, JsonObject, JsonObject]>([
    ['long enumerations', list({ items: { enum: many(6_000, index => index) } }), { list: many(9_000, () => 5_999) }],
    [
      'many alternatives',
      list({ items: { anyOf: many(900, value => ({ const: value })) } }),
      { list: many(900, () => 899) },
    ],
    [
      'many patterns of names',
      {
        type: 'object',
        patternProperties: byName(900, index => [`(a|b)*x${index}$`, { type: 'number' }]),
      } as JsonObject,
      byName(900, index => [`ab${index}`, 1]) as JsonObject,
    ],
    [
      'many slow patterns',
      list({ allOf: many(900, index => ({ not: { pattern: `(a|b)*x${index}$` } })) }),
      { list: 'ab'.repeat(9_000) },
    ],
    [
      'many fast patterns',
      list({ allOf: many(900, index => ({ not: { pattern: `^[ab]*x${index}$` } })) }),
      { list: 'ab'.repeat(9_000) },
    ],
    ['many formats', list({ allOf: many(900, () => ({ format: 'uri' })) }), { list: `http://a/${'ab'.repeat(9_000)}` }],
  ])('is bounded for %s', async (_, schema, properties) => {
    expect((await told(schema, properties))?.[0]).toMatch(TOO_MUCH)
  })

  it.each<[string, JsonObject, JsonObject]>([
    ['unique entries', list({ type: 'array', maxItems: 100, uniqueItems: true }), { list: many(9_000, n => [n]) }],
    ['missing names', list({ items: { required: many(5_000, n => `k${n}`) } }), { list: many(9_000, () => ({})) }],
  ])('is bounded when all faults are looked for: %s', async (_, schema, properties) => {
    const [first, all] = (await told(schema, properties))!
    expect(all).toBe(first)
  })

  it('is bounded for payloads of slots', () => {
    const compiled = compilePayloadSchema(filterSchema('op last'))
    if (!compiled.ok) throw new Error(compiled.reason)
    expect(compiled.value(filterOf(14, 'a'))).toMatch(TOO_MUCH)
    expect(compiled.value(filterOf(2, 'a'))).toBeUndefined()
  })

  it('is bounded for all messages of a request together, and usual ones of it are checked all the same', async () => {
    const plan = await planOf(filterSchema('op last'))
    const pool = createWorkPool()
    for (let sent = 0; sent < 200; sent++) plan.check(searched(filterOf(5, 'a')), pool)
    expect(pool).toEqual({ left: 0, owed: 5 * MAX_WORK })
    expect(plan.check(searched(filterOf(4, 'a')), pool)?.reason).toMatch(TOO_MUCH)
    expect(plan.check(searched(filterOf(1, 'a')), pool)).toBeUndefined()
  })

  it('takes no keyword of a schema for its own', async () => {
    await expect(planOf({ type: 'object', work: 1 })).rejects.toThrow('unknown keyword')
  })
})

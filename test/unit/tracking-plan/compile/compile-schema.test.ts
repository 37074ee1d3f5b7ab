import type { JsonObject } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { createSchemaCompiler, SchemaError } from '#tracking-plan/compile/compile-schema.js'

const x = (schema: JsonObject): JsonObject => ({ type: 'object', properties: { x: schema } })

/** `doubling(n)` refers to two of what refers to two of … 2^n schemas. */
function doubling(levels: number): JsonObject {
  const $defs: JsonObject = {}
  for (let level = 0; level < levels; level++) {
    const next = { $ref: `#/$defs/l${level + 1}` }
    $defs[`l${level}`] = { allOf: [next, next] }
  }
  $defs[`l${levels}`] = { type: 'object' }
  return { $ref: '#/$defs/l0', $defs }
}

describe('a schema', () => {
  it.each([
    [
      'draft 2020-12',
      { $schema: 'https://json-schema.org/draft/2020-12/schema', $id: 'https://x.example/1', type: 'object' },
    ],
    ['formats', x({ type: 'string', format: 'date-time' })],
    ['its own definitions', { ...x({ $ref: '#/$defs/money' }), $defs: { money: { type: 'number' } } }],
    ['nesting', x({ type: 'array', items: { $ref: '#' } })],
    ['patterns', x({ type: 'string', pattern: '^[A-Z]{3}\\u002d\\d+$' })],
    ['few unique items', x({ type: 'array', maxItems: 100, uniqueItems: true })],
  ] as [string, JsonObject][])('may use %s', (_what, schema) => {
    expect(createSchemaCompiler()(schema)({})).toBe(true)
  })

  it.each([
    ['a keyword that there is not', { type: 'object', require: ['x'] }, 'unknown keyword: "require"'],
    ['a wrong type', x({ type: 'text' }), '/properties/x/type must be one of'],
    ['a limit that is no number', x({ minimum: '1' }), '/properties/x/minimum must be number'],
    ['another draft', { $schema: 'http://json-schema.org/draft-07/schema#' }, 'only draft 2020-12'],
    ['a format outside the standard', x({ format: 'url' }), 'unknown format "url"'],
    ['a reference to nothing', x({ $ref: '#/$defs/none' }), "can't resolve reference #/$defs/none"],
    ['a reference to another file', x({ $ref: 'money.json' }), '/properties/x $ref "money.json" leaves the file'],
    ['an id inside', x({ $id: 'https://x.example/x' }), '/properties/x $id is possible at the top only'],
    ['a pattern that looks ahead', x({ pattern: '(?=a)' }), 'pattern "(?=a)"'],
    ['a pattern that refers back', x({ pattern: '(a)\\1' }), 'pattern "(a)\\1"'],
    ['a reference to itself', { $ref: '#' }, 'without end'],
    ['references that double', doubling(20), 'more than 2000 schemas'],
    ['unique items without a bound', x({ uniqueItems: true }), '/properties/x uniqueItems needs a maxItems'],
    ['a type that properties never have', { type: 'array' }, 'it must have "type": "object"'],
  ] as [string, JsonObject, string][])('with %s is rejected', (_what, schema, message) => {
    expect(() => createSchemaCompiler()(schema)).toThrow(SchemaError)
    expect(() => createSchemaCompiler()(schema)).toThrow(message)
  })

  it('is checked in time that grows no faster than the text, whatever its pattern', () => {
    // The usual engine would need longer than the world exists.
    const validate = createSchemaCompiler()(x({ type: 'string', pattern: '^(a+)+$' }))
    expect(validate({ x: `${'a'.repeat(20_000)}!` })).toBe(false)
    expect(validate({ x: 'a'.repeat(20_000) })).toBe(true)
  })
})

import { describe, expect, it } from 'vitest'
import { compileCondition } from '#core/conditions/compile-condition.js'
import type { CompileOptions } from '#core/conditions/condition.js'
import {
  MAX_CLAUSES,
  MAX_CONDITION_DEPTH,
  MAX_ELEMENTS,
  MAX_FAULTS,
  MAX_LIST,
  MAX_LITERAL_VALUES,
  MAX_MISS,
  MAX_PATH,
  MAX_PATTERN,
  MAX_PATTERN_TEXT,
  MAX_PATTERNS,
  MAX_TEXT,
  MAX_VERSION,
} from '#core/conditions/limits.js'

function compiled(condition: unknown, options?: CompileOptions) {
  const result = compileCondition(condition, options)
  if (!result.ok) throw new Error(result.reason)
  return result.value
}

function faultsOf(condition: unknown, options?: CompileOptions): string[] {
  const result = compileCondition(condition, options)
  return result.ok ? [] : result.faults
}

const matches = (condition: unknown, attributes: unknown) => compiled(condition).matches(attributes)
const missesOf = (condition: unknown, attributes: unknown) => compiled(condition).misses(attributes)

describe('a fault', () => {
  const cases: [condition: unknown, reason: string][] = [
    [{ 'traits.plan': { $gte2: 1 } }, 'condition.traits.plan.$gte2: unknown operator $gte2: did you mean $gte?'],
    [{ a: { $gt: 1, $lessThan: 2 } }, 'condition.a.$lessThan: unknown operator $lessThan: there are $eq, $ne, $lt,'],
    [{ a: { $or: [] } }, 'condition.a.$or: $or must stand beside paths, not below one'],
    [{ $gt: 1 }, 'condition.$gt: $gt must stand below a path: {"a.path": {"$gt": …}}'],
    [{ $adn: [] }, 'condition.$adn: unknown operator $adn: did you mean $and?'],
    [{ $every: [] }, 'condition.$every: unknown operator $every: beside paths there are $and, $or, $nor, $not'],
    [{ $ands: [] }, 'condition.$ands: unknown operator $ands: did you mean $and?'],
    [{ $and: {} }, 'condition.$and: must be a list of conditions'],
    [{ $or: [{}, 1] }, 'condition.$or[1]: must be an object, such as {"traits.plan": "pro"}'],
    [{ $nor: [] }, 'condition.$nor: must not be empty'],
    [{ $not: 'a' }, 'condition.$not: must be an object, such as {"traits.plan": "pro"}'],
    [[], 'condition: must be an object, such as {"traits.plan": "pro"}'],
    [{ '': 1 }, 'condition.: a path must not be empty'],
    [{ ['a'.repeat(MAX_PATH + 1)]: 1 }, `the path has ${MAX_PATH + 1} characters, ${MAX_PATH} are allowed`],
    [{ a: { $gt: 1, b: 2 } }, 'condition.a: mixes operators and fields: write each path with dots'],
    [{ a: { b: { $gt: 1 } } }, 'condition.a.b.$gt: operators are not read within a value to be equal to'],
    [{ a: undefined }, 'condition.a: must be text, a number, true, false or null'],
    [{ a: { $gt: null } }, 'condition.a.$gt: must be a number or text'],
    [{ a: { $lte: [1] } }, 'condition.a.$lte: must be a number or text'],
    [{ a: { $in: 'x' } }, 'condition.a.$in: must be a list'],
    [{ a: { $in: [{}] } }, 'condition.a.$in[0]: must be text, a number, true, false or null'],
    [{ a: { $all: 1 } }, 'condition.a.$all: must be a list'],
    [{ a: { $all: [{ $gte2: 1 }] } }, 'condition.a.$all[0].$gte2: unknown operator $gte2'],
    [{ a: { $exists: 1 } }, 'condition.a.$exists: must be true or false'],
    [
      { a: { $type: 'text' } },
      'condition.a.$type: must be one of string, number, boolean, array, object, null, not "text"',
    ],
    [{ a: { $type: 'strng' } }, 'did you mean string?'],
    [{ a: { $size: '3' } }, 'condition.a.$size: must be a number, or operators over one'],
    [{ a: { $elemMatch: 1 } }, 'condition.a.$elemMatch: must be an object of operators, or a condition'],
    [{ a: { $elemMatch: { b: { $gte2: 1 } } } }, 'condition.a.$elemMatch.b.$gte2: unknown operator $gte2'],
    [{ a: { $not: { $gte2: 1 } } }, 'condition.a.$not.$gte2: unknown operator $gte2'],
    [{ a: { $veq: true } }, 'condition.a.$veq: must be a version such as "1.2.3"'],
    [{ a: { $vgt: '1'.repeat(MAX_VERSION + 1) } }, 'has more than the 256 characters that a version may have'],
    [{ a: { $regex: 1 } }, 'condition.a.$regex: must be a pattern'],
    [{ a: { $regex: '(?=a)' } }, 'condition.a.$regex: pattern "(?=a)" error parsing regexp'],
    [{ a: { $regex: '(a)\\1' } }, 'pattern "(a)\\\\1" error parsing regexp'],
    [{ a: { $regex: 'a'.repeat(MAX_PATTERN + 1) } }, `has ${MAX_PATTERN + 1} characters, ${MAX_PATTERN} are allowed`],
    [{ a: { $regex: '(a{300})b{300}' } }, 'repeats 600 times, 500 are allowed'],
    [{ a: { $regex: `${'[a-cx]d'.repeat(10)}{50}${'(ab|cd|ef){50}'.repeat(9)}` } }, 'instructions, 500 are allowed'],
    [{ a: 'x'.repeat(MAX_TEXT + 1) }, `condition.a: has ${MAX_TEXT + 1} characters, ${MAX_TEXT} are allowed`],
    [{ a: ['x'.repeat(MAX_TEXT + 1)] }, `condition.a[0]: has ${MAX_TEXT + 1} characters`],
    [
      { a: { $in: Array.from({ length: MAX_LIST + 1 }, String) } },
      `has ${MAX_LIST + 1} entries, ${MAX_LIST} are allowed`,
    ],
    [
      { a: Array.from({ length: MAX_LITERAL_VALUES + 1 }, Number) },
      `more than ${MAX_LITERAL_VALUES} values to be equal to`,
    ],
    [{ a: { $inGroup: 'g' } }, 'condition.a.$inGroup: there is no group "g": list its values with $in'],
    [{ a: { $inGroup: 1 } }, 'condition.a.$inGroup: must be the name of a group'],
  ]

  it.each(cases.map(([condition, reason]) => [reason, condition]))('%s', (reason, condition) => {
    expect(faultsOf(condition)).toEqual([expect.stringContaining(reason)])
  })

  it('does not hide the others: each has its line, in order', () => {
    const result = compileCondition(
      { a: { $gte2: 1, $in: 3 }, $or: [{ b: { $regex: '(' } }, 7], $and: [{ c: { $not: { $typ: 'string' } } }] },
      { path: 'segments[2].where' },
    )
    expect(result).toMatchObject({ ok: false })
    if (result.ok) return
    expect(result.faults.map(line => line.split(': ')[0])).toEqual([
      'segments[2].where.a.$gte2',
      'segments[2].where.a.$in',
      'segments[2].where.$or[0].b.$regex',
      'segments[2].where.$or[1]',
      'segments[2].where.$and[0].c.$not.$typ',
    ])
    expect(result.reason).toBe(result.faults.join('\n'))
  })

  it('is one of a bounded number, and the last line says how many more there are', () => {
    const many = Object.fromEntries(Array.from({ length: MAX_FAULTS + 20 }, (_, i) => [`p${i}`, { $x: 1 }]))
    const faults = faultsOf(many)
    expect(faults).toHaveLength(MAX_FAULTS + 1)
    expect(faults.at(-1)).toBe('and 20 more')
  })

  it('of a known group names the nearest', () => {
    expect(faultsOf({ id: { $inGroup: 'bata' } }, { groups: { beta: [1] } })).toEqual([
      'condition.id.$inGroup: there is no group "bata": did you mean "beta"?',
    ])
  })
})

describe('a limit', () => {
  const nested = (levels: number): unknown => (levels === 0 ? { a: 1 } : { $and: [nested(levels - 1)] })

  it('holds for levels', () => {
    expect(faultsOf(nested(MAX_CONDITION_DEPTH))).toEqual([])
    expect(faultsOf(nested(MAX_CONDITION_DEPTH + 1))).toEqual([
      expect.stringContaining(`is nested deeper than ${MAX_CONDITION_DEPTH} levels`),
    ])
    let deep: unknown = 1
    for (let level = 0; level < 50_000; level++) deep = { $not: deep }
    expect(faultsOf({ a: deep })).toEqual([expect.stringContaining('is nested deeper than')])
    let elements: unknown = { $eq: 1 }
    for (let level = 0; level < 50_000; level++) elements = { $elemMatch: { a: elements } }
    expect(faultsOf({ a: elements })).toEqual([expect.stringContaining('is nested deeper than')])
    let literal: unknown = 1
    for (let level = 0; level < 50_000; level++) literal = { a: literal }
    expect(faultsOf({ a: literal })).toEqual([expect.stringContaining('values to be equal to')])
  })

  it('holds for clauses, wherever they are', () => {
    const list = (length: number) => Array.from({ length }, (_, i) => i)
    expect(faultsOf({ $or: list(MAX_CLAUSES).map(i => ({ a: i })) })).toEqual([])
    const fault = [expect.stringContaining(`is clause ${MAX_CLAUSES + 1} of the condition, ${MAX_CLAUSES} are allowed`)]
    expect(faultsOf({ $or: list(MAX_CLAUSES + 1).map(i => ({ a: i })) })).toEqual(fault)
    expect(faultsOf({ a: { $all: list(MAX_CLAUSES) } })).toEqual(fault)
    expect(faultsOf({ a: { $alli: list(MAX_CLAUSES).map(String) } })).toEqual(fault)
  })

  it('holds for patterns', () => {
    const patterns = (length: number) => ({ $or: Array.from({ length }, (_, i) => ({ a: { $regex: `^a${i}.` } })) })
    expect(faultsOf(patterns(MAX_PATTERNS))).toEqual([])
    expect(faultsOf(patterns(MAX_PATTERNS + 5))).toEqual([
      expect.stringContaining(`is pattern ${MAX_PATTERNS + 1} of the condition, ${MAX_PATTERNS} are allowed`),
    ])
  })

  it('holds for what visitors send: a long text, version or list', () => {
    const long = 'a'.repeat(MAX_PATTERN_TEXT)
    expect(matches({ a: { $regex: '^a' } }, { a: long })).toBe(true)
    expect(matches({ a: { $regex: '^a' } }, { a: `${long}a` })).toBe(false)
    expect(matches({ a: { $vgt: '1' } }, { a: '9'.repeat(MAX_VERSION + 1) })).toBe(false)
    const list = Array.from({ length: MAX_ELEMENTS + 1 }, (_, i) => i)
    expect(matches({ a: { $in: [MAX_ELEMENTS - 1] } }, { a: list })).toBe(true)
    expect(matches({ a: { $in: [MAX_ELEMENTS] } }, { a: list })).toBe(false)
    expect(matches({ a: { $elemMatch: { $eq: MAX_ELEMENTS } } }, { a: list })).toBe(false)
  })
})

describe('what differs from GrowthBook', () => {
  it.each<[string, unknown, unknown, boolean]>([
    ['a missing value is not the text "null"', { a: 'null' }, {}, false],
    ['a missing value has no pattern', { a: { $regex: '.*' } }, {}, false],
    ['a list is not the text of its only element', { a: 'x' }, { a: ['x'] }, false],
    ['a list is not the number of its only element', { a: 5 }, { a: [5] }, false],
    ['a list is neither less nor more', { a: { $gt: 3 } }, { a: [5] }, false],
    ['an object has no pattern', { a: { $regex: 'object' } }, { a: {} }, false],
    ['objects are equal whatever the order of their keys', { a: { x: 1, y: 2 } }, { a: { y: 2, x: 1 } }, true],
    ['$eq compares lists by their entries', { a: { $eq: [1, 2] } }, { a: [1, 2] }, true],
    ['$ne, too', { a: { $ne: [1, 2] } }, { a: [1, 2] }, false],
    ['$elemMatch looks at 0, false, "" and null, too', { a: { $elemMatch: { $lt: 1 } } }, { a: [0] }, true],
    ['versions compare numbers of six digits', { v: { $vlt: '1.0.100000' } }, { v: '1.0.99999' }, true],
  ])('%s', (_, condition, attributes, expected) => {
    expect(matches(condition, attributes)).toBe(expected)
  })

  it('names of the language itself are ordinary paths', () => {
    for (const path of ['__proto__', 'constructor', 'constructor.name', 'toString', 'a.constructor', 'hasOwnProperty'])
      expect(matches({ [path]: { $exists: true } }, { a: {} }), path).toBe(false)
    expect(matches(JSON.parse('{"__proto__": 1}'), {})).toBe(false)
    expect(matches(JSON.parse('{"__proto__": 1}'), JSON.parse('{"__proto__": 1}'))).toBe(true)
    expect(faultsOf({ a: { $__proto__: 1 } })).toHaveLength(1)
  })

  it('values that cannot be converted to text or numbers do no harm', () => {
    const hostile = { a: { valueOf: 1, toString: 1 } }
    for (const wanted of [
      'x',
      1,
      true,
      { $gt: 1 },
      { $lt: 'x' },
      { $regex: 'x.' },
      { $in: ['x'] },
      { $ini: ['x'] },
      { $vgt: '1' },
    ])
      expect(() => matches({ a: wanted }, hostile)).not.toThrow()
    expect(() => matches({ a: { $alli: ['x'] } }, { a: [hostile.a] })).not.toThrow()
  })

  it('whole numbers beyond 2^53 are equal by their digits', () => {
    const attributes = { id: '\ufdd0175928847299117063' }
    expect(matches({ id: '175928847299117063' }, attributes)).toBe(true)
    expect(missesOf({ id: '1' }, attributes)).toEqual(['id is "175928847299117063", wanted "1"'])
  })

  it.each<[condition: unknown, value: unknown, expected: boolean]>([
    [{ $lt: '175928847299117064' }, '175928847299117063', true],
    [{ $lt: '175928847299117063' }, '175928847299117063', false],
    [{ $lte: '175928847299117063' }, '\ufdd0175928847299117063', true],
    [{ $gt: '99999999999999999' }, '100000000000000000', true],
    [{ $gt: '-99999999999999999' }, '-100000000000000000', false],
    [{ $gte: '175928847299117063' }, '175928847299117062', false],
    [{ $lt: '9007199254740993' }, 9007199254740992, true],
    [{ $gt: '9007199254740993' }, 1.5, false],
    [{ $gt: '9007199254740993' }, 1e300, true],
    [{ $gt: '9007199254740993' }, 'x', true],
    [{ $gt: '9007199254740993' }, null, false],
    [{ $gt: 5 }, '175928847299117063', true],
  ])('whole numbers beyond 2^53 compare by their value: %j of %j', (a, value, expected) => {
    expect(matches({ a }, { a: value })).toBe(expected)
  })
})

describe('misses', () => {
  it.each<[unknown, unknown, string[]]>([
    [{ 'context.country': 'DE' }, { context: { country: 'FR' } }, ['context.country is "FR", wanted "DE"']],
    [{ 'views.camp': { $gte: 2 } }, { views: { camp: 1 } }, ['views.camp is 1, wanted at least 2']],
    [{ 'traits.plan': 'pro' }, {}, ['traits.plan is missing, wanted "pro"']],
    [{ a: { $gt: 1, $lt: 5, $ne: 7 } }, { a: 7 }, ['a is 7, wanted less than 5', 'a is 7, wanted not 7']],
    [{ a: null }, { a: 1 }, ['a is 1, wanted no value']],
    [{ a: { $in: ['x', 'y'] } }, { a: 'z' }, ['a is "z", wanted one of "x", "y"']],
    [{ a: { $nin: [1, 2] } }, { a: [1, 3] }, ['a is [1, 3], wanted none of 1, 2']],
    [{ a: { $in: [1, 2, 3, 4, 5, 6] } }, {}, ['a is missing, wanted one of 1, 2, 3, 4, 5, … (6 in all)']],
    [{ a: { $ini: ['x'] } }, { a: 'z' }, ['a is "z", wanted one of "x" in any case']],
    [{ a: { $all: ['x', 'y'] } }, { a: ['x'] }, ['a is ["x"], wanted all of "x", "y"']],
    [{ a: { $regex: '^/shop/.' } }, { a: '/' }, ['a is "/", wanted a match of /^/shop/./']],
    [{ a: { $exists: true } }, {}, ['a is missing, wanted any value']],
    [{ a: { $exists: false } }, { a: 0 }, ['a is 0, wanted no value']],
    [{ a: { $type: 'array' } }, { a: { b: 1 } }, ['a is {"b": 1}, wanted the type array']],
    [{ a: { $size: { $gte: 2 } } }, { a: [1] }, ['a is [1], wanted a list of at least 2 elements']],
    [{ a: { $elemMatch: { b: 1 } } }, { a: [] }, ['a is [], wanted an element with b 1']],
    [{ a: { $elemMatch: { $gt: 1 } } }, { a: [1] }, ['a is [1], wanted an element more than 1']],
    [{ a: { $not: { $gt: 1 } } }, { a: 2 }, ['a is 2, wanted not more than 1']],
    [{ v: { $vgte: '1.10.0' } }, { v: '1.9.0' }, ['v is "1.9.0", wanted a version of at least "1.10.0"']],
    [{ $not: { a: 1 } }, { a: 1 }, ['a is 1, wanted not 1']],
    [{ $not: { a: 1, b: 2 } }, { a: 1, b: 2 }, ['wanted not (a 1 and b 2)']],
    [{ $nor: [{ a: 1 }, { b: 1 }] }, { a: 1, b: 1 }, ['a is 1, wanted not 1', 'b is 1, wanted not 1']],
    [{ $not: { $or: [{ a: 1 }, { b: 1 }] } }, { a: 1 }, ['wanted not (a 1 or b 1)']],
    [{ $not: { $not: { a: 1 } } }, {}, ['a is missing, wanted 1']],
    [{ $not: {} }, {}, ['an empty condition always holds']],
    [
      { $or: [{ a: 1, b: 1 }, { c: 'x' }] },
      { b: 2 },
      ['none holds: a is missing, wanted 1 and b is 2, wanted 1; or c is missing, wanted "x"'],
    ],
  ])('of %j in %j are %j', (condition, attributes, expected) => {
    expect(missesOf(condition, attributes)).toEqual(expected)
    expect(compiled(condition).countMisses(attributes)).toBe(expected.length)
  })

  it('are bounded, whatever a visitor sent and the condition asks for', () => {
    const big = {
      a: Array.from({ length: 5_000 }, () => ({ text: 'x'.repeat(5_000), deep: [[[[[1]]]]] })),
      b: 'y'.repeat(30_000),
    }
    const wide = Array.from({ length: 150 }, (_, i) => ({ [`p${i}`.repeat(40)]: 'x'.repeat(1_000) }))
    const conditions = [
      { a: 1, b: 1, c: 'x'.repeat(1_000) },
      { $or: wide },
      { $not: { $nor: wide } },
      { a: { $all: wide } },
    ]
    for (const condition of conditions)
      for (const miss of missesOf(condition, big)) expect(miss.length).toBeLessThanOrEqual(MAX_MISS)
  })
})

it('a miss looks at the first entries of a list only', () => {
  const list = [1, 2, 3, 4, 5, 6]
  Object.defineProperty(list, 5, {
    get() {
      throw new Error('looked at')
    },
  })
  expect(missesOf({ a: 1 }, { a: list })).toEqual(['a is [1, 2, 3, 4, 5, …], wanted 1'])
})

describe('paths', () => {
  it('are those that it reads, each once and read through one reader', () => {
    const asked: string[] = []
    const { paths, matches } = compiled(
      { a: 1, $or: [{ 'b.c': 1 }, { a: { $gt: 1 } }], $not: { d: { $elemMatch: { inner: 1 } } } },
      {
        read: path => {
          asked.push(path)
          return attributes => (attributes as Record<string, unknown>)[path]
        },
      },
    )
    expect(paths).toEqual(['a', 'b.c', 'd'])
    expect(asked).toEqual(paths)
    expect(matches({ a: 1, 'b.c': 1, d: [{ inner: 2 }] })).toBe(true)
    expect(matches({ a: 1, 'b.c': 1, d: [{ inner: 1 }] })).toBe(false)
  })

  it('may be refused where a condition is used, not those within elements of a list', () => {
    const checkPath = (path: string) => (path === 'known' ? undefined : `there is no ${path}`)
    expect(faultsOf({ known: { $elemMatch: { inner: 1 } }, other: 1 }, { checkPath })).toEqual([
      'condition.other: there is no other',
    ])
  })

  it('of times compare as times', () => {
    const options: CompileOptions = { isTime: path => path === 'at' }
    const at = (text: string) => ({ at: text })
    const since = compiled({ at: { $gte: '2026-11-27T09:00:00+02:00' } }, options)
    expect(since.matches(at('2026-11-27T07:00:00.000Z'))).toBe(true)
    expect(since.matches(at('2026-11-27T06:59:59.999Z'))).toBe(false)
    expect(since.matches({})).toBe(false)
    expect(since.misses(at('2026-11-01T00:00:00.000Z'))).toEqual([
      'at is "2026-11-01T00:00:00.000Z", wanted at least "2026-11-27T07:00:00.000Z"',
    ])
    expect(compiled({ at: '2026-11-27' }, options).matches(at('2026-11-27T00:00:00.000Z'))).toBe(true)
    expect(compiled({ at: { $lt: Date.UTC(2026, 0) } }, options).matches(at('2025-12-31T23:59:59.999Z'))).toBe(true)
    expect(compiled({ at: { $regex: 'T0[0-5]:' } }, options).matches(at('2026-11-27T03:00:00.000Z'))).toBe(true)
    expect(faultsOf({ at: { $gt: 'yesterday', $in: [true] } }, options)).toEqual([
      'condition.at.$gt: must be a time such as "2026-11-27T09:00:00Z", not "yesterday"',
      'condition.at.$in[0]: must be a time such as "2026-11-27T09:00:00Z", not true',
    ])
    expect(faultsOf({ at: { $lt: 1e15 } }, options)).toHaveLength(1)
  })
})

import * as fc from 'fast-check'
import { RE2JS } from 're2js'
import { describe, expect, it } from 'vitest'
import { compileCondition } from '#core/conditions/compile-condition.js'
import { MAX_MISS } from '#core/conditions/limits.js'
import { OPERATORS } from '#core/conditions/operators/table.js'
import { literalPattern } from '#core/conditions/patterns/literal-pattern.js'

type Value = unknown
type Wanted = Record<string, unknown>

// Few values and names, so that they meet.
const scalar = fc.constantFrom<Value>(0, 1, 2, -1, '', '1', '2', 'a', 'A', 'b', true, false, null)
const key = fc.constantFrom('a', 'b', 'c')
const value: fc.Arbitrary<Value> = fc.oneof(
  { weight: 4, arbitrary: scalar },
  { weight: 2, arbitrary: fc.array(scalar, { maxLength: 4 }) },
  { weight: 1, arbitrary: fc.array(fc.dictionary(key, scalar, { maxKeys: 2 }), { maxLength: 3 }) },
  { weight: 1, arbitrary: fc.dictionary(key, scalar, { maxKeys: 3 }) },
)
const attributes = fc.dictionary(key, value, { maxKeys: 3 })
const path = fc.constantFrom('a', 'b', 'c', 'a.a', 'b.c')

const bound = fc.constantFrom<Value>(0, 1, 2, '1', 'a', 'b')
const scalars = fc.array(scalar, { maxLength: 4 })
const leaf: fc.Arbitrary<Wanted> = fc.oneof(
  ...['$eq', '$ne'].map(name => fc.record({ [name]: scalar })),
  ...['$lt', '$lte', '$gt', '$gte'].map(name => fc.record({ [name]: bound })),
  ...['$in', '$nin', '$ini', '$nini', '$all'].map(name => fc.record({ [name]: scalars })),
  fc.record({ $exists: fc.boolean() }),
  fc.record({ $size: fc.nat({ max: 3 }) }),
  fc.record({ $type: fc.constantFrom('string', 'number', 'boolean', 'array', 'object', 'null') }),
)
const operators: fc.Arbitrary<Wanted> = fc.oneof(
  { weight: 5, arbitrary: leaf },
  { weight: 1, arbitrary: fc.tuple(leaf, leaf).map(([one, other]) => ({ ...one, ...other })) },
  { weight: 1, arbitrary: leaf.map(wanted => ({ $not: wanted })) },
  { weight: 1, arbitrary: leaf.map(wanted => ({ $elemMatch: wanted })) },
  {
    weight: 1,
    arbitrary: fc.dictionary(key, leaf, { minKeys: 1, maxKeys: 2 }).map(wanted => ({ $elemMatch: wanted })),
  },
)
const { condition } = fc.letrec<{ condition: Wanted }>(tie => {
  const list = fc.array(tie('condition'), { minLength: 1, maxLength: 3 })
  return {
    condition: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      fc.dictionary(path, fc.oneof(scalar, operators), { maxKeys: 3 }),
      fc.record({ $and: list }),
      fc.record({ $or: list }),
      fc.record({ $nor: list }),
      fc.record({ $not: tie('condition') }),
    ),
  }
})

// The language once more, in the plainest way: by what is in docs/conditions.md.

const isList = Array.isArray
const isPlain = (it: Value) => typeof it !== 'object' || it === null
const isOperators = (it: Value): it is Wanted =>
  typeof it === 'object' &&
  it !== null &&
  !isList(it) &&
  Object.keys(it).length > 0 &&
  Object.keys(it).every(name => name[0] === '$')
const fold = (it: Value) => (typeof it === 'string' ? it.toLowerCase() : it)

function valueAt(from: Value, names: string[]): Value {
  const [name, ...rest] = names
  if (name === undefined) return from ?? null
  if (isPlain(from) || !Object.keys(from as object).includes(name)) return null
  return valueAt((from as Wanted)[name], rest)
}

function evaluate(where: Wanted, from: Value): boolean {
  return Object.entries(where).every(([name, wanted]) => {
    const list = () => (wanted as Wanted[]).map(entry => evaluate(entry, from))
    if (name === '$and') return list().every(Boolean)
    if (name === '$or') return list().some(Boolean)
    if (name === '$nor') return !list().some(Boolean)
    if (name === '$not') return !evaluate(wanted as Wanted, from)
    return passes(wanted, valueAt(from, name.split('.')))
  })
}

function passes(wanted: Value, it: Value): boolean {
  if (isOperators(wanted)) return Object.entries(wanted).every(([name, operand]) => operate(name, operand, it))
  if (wanted === null) return it === null
  if (typeof wanted === 'boolean') return it !== null && Boolean(it) === wanted
  if (!isPlain(it)) return false
  if (typeof wanted === 'number') return Number(it) === wanted
  return it !== null && String(it) === wanted
}

function operate(name: string, operand: Value, it: Value): boolean {
  const entries = operand as Value[]
  // Compared as the engine does, whatever the types.
  const [left, right] = [it as number, operand as number]
  const within = (map: (it: Value) => Value) => {
    const wanted = entries.map(map)
    return isList(it) ? it.map(map).some(entry => wanted.includes(entry)) : wanted.includes(map(it))
  }
  switch (name) {
    case '$eq':
      return it === operand
    case '$ne':
      return it !== operand
    case '$lt':
      return isPlain(it) && left < right
    case '$lte':
      return isPlain(it) && left <= right
    case '$gt':
      return isPlain(it) && left > right
    case '$gte':
      return isPlain(it) && left >= right
    case '$in':
      return within(entry => entry)
    case '$nin':
      return !within(entry => entry)
    case '$ini':
      return within(fold)
    case '$nini':
      return !within(fold)
    case '$all':
      return isList(it) && entries.every(wanted => it.some(entry => passes(wanted, entry)))
    case '$exists':
      return (it !== null) === operand
    case '$size':
      return isList(it) && it.length === operand
    case '$type':
      return (it === null ? 'null' : isList(it) ? 'array' : typeof it) === operand
    case '$not':
      return !passes(operand, it)
    case '$elemMatch':
      return (
        isList(it) &&
        it.some(entry => (isOperators(operand) ? passes(operand, entry) : evaluate(operand as Wanted, entry)))
      )
    default:
      throw new Error(name)
  }
}

describe('any condition', () => {
  it('compiled says what it says evaluated step by step, and misses something exactly if it does not match', () => {
    fc.assert(
      fc.property(condition, attributes, (where, person) => {
        const compiled = compileCondition(where)
        if (!compiled.ok) throw new Error(compiled.reason)
        const { matches, misses, countMisses } = compiled.value
        expect(matches(person)).toBe(evaluate(where, person))
        expect(misses(person).length === 0).toBe(matches(person))
        expect(countMisses(person)).toBe(misses(person).length)
      }),
      { numRuns: 3_000 },
    )
  })

  it('made of anything is compiled or refused with a reason, never throws, and has bounded misses', () => {
    const names = fc.constantFrom(...Object.keys(OPERATORS), '$and', '$or', '$nor', 'a', 'a.b', '__proto__', '$x', '')
    const { anything } = fc.letrec<{ anything: unknown }>(tie => ({
      anything: fc.oneof(
        { maxDepth: 5 },
        fc.constantFrom<unknown>(0, 1, 'a', 'string', '^a', '((', null, true, undefined),
        fc.array(tie('anything'), { maxLength: 3 }),
        fc.dictionary(names, tie('anything'), { maxKeys: 4 }),
      ),
    }))
    fc.assert(
      fc.property(anything, fc.jsonValue(), (where, person) => {
        const compiled = compileCondition(where, { groups: { a: [1, 'a'] } })
        if (!compiled.ok) {
          expect(compiled.faults.length).toBeGreaterThan(0)
          return
        }
        const { matches, misses } = compiled.value
        const missed = misses(person)
        expect(missed.length === 0).toBe(matches(person))
        for (const miss of missed) expect(miss.length).toBeLessThanOrEqual(MAX_MISS)
      }),
      { numRuns: 3_000 },
    )
  })
})

describe('a pattern of literals', () => {
  it('finds what the engine finds', () => {
    const word = fc.string({
      unit: fc.constantFrom('a', 'b', 'A', '/', '-', ' ', '\\.', '\\$', '\\|'),
      minLength: 1,
      maxLength: 4,
    })
    const words = fc.array(word, { minLength: 1, maxLength: 3 })
    const pattern = fc
      .tuple(fc.constantFrom('', '^'), words, fc.constantFrom('', '$'), fc.constantFrom('(', '(?:'))
      .map(([start, list, end, open]) => start + (list.length === 1 ? list[0] : `${open}${list.join('|')})`) + end)
    const text = fc.string({
      unit: fc.constantFrom('a', 'b', 'A', '/', '-', ' ', '.', '$', '|', '\n', '\u212a', '😀'),
      maxLength: 8,
    })
    fc.assert(
      fc.property(pattern, fc.array(text, { minLength: 5, maxLength: 5 }), (source, texts) => {
        const literal = literalPattern(source)!
        const engine = RE2JS.compile(RE2JS.translateRegExp(source))
        for (const each of texts) expect(literal(each), JSON.stringify(each)).toBe(engine.matcher(each).find())
      }),
      { numRuns: 2_000 },
    )
  })
})

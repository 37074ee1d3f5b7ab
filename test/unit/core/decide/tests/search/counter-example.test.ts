import { createFindCounterExamples, createRunDecisionTest, trialsOf } from '@slotstream/core'
import type { Content, DecisionTest, Json, JsonObject, Slot } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { compileWhere } from '#core/segments/compile-where.js'
import { createRandom, type Random } from '../../../../../chaos/random.js'

const NOW = Date.UTC(2026, 0, 10, 12)
const content = (id: string, where?: JsonObject, more: Partial<Content> = {}): Content => ({
  id,
  slots: ['hero'],
  category: id,
  payload: {},
  ...(where && { where }),
  ...more,
})
const slotOf = (more: Partial<Slot> = {}): Slot => ({ id: 'hero', count: 1, holdout: 0, ...more })

/** Runs a test and, as before publishing, looks for a counter-example where it passes. */
function found(slot: Slot, contents: Content[], test: Omit<DecisionTest, 'slot'>, trials?: number): string[] {
  const catalog = { slots: [slot], content: contents }
  const whole = { ...test, slot: 'hero' }
  expect(createRunDecisionTest(catalog, 'shop', NOW)(whole)).toEqual([])
  return createFindCounterExamples(catalog, 'shop', NOW, trials)(whole)
}

const VIP = { profile: { traits: { plan: 'vip' } }, context: { locale: 'de-DE' } }

describe('a hole that a test did not think of', () => {
  it('is found by the values that conditions name', () => {
    const sale = content('sale', { $or: [{ 'traits.plan': { $ne: 'vip' } }, { 'features.views.camp': { $gte: 5 } }] })
    expect(found(slotOf(), [sale, content('other')], { given: VIP, expect: { never: ['sale'] } })).toEqual([
      'never sale: it can be shown where features.views.camp is 5',
    ])
  })

  it.each([
    [{ 'traits.age': { $gt: 17 } }, 'traits.age is 18'],
    [{ 'traits.age': { $gt: 17, $lt: 19 }, 'traits.pet': { $exists: true } }, 'traits.age is 18 and traits.pet is "x"'],
    [{ 'traits.age': { $not: { $lte: 17 } } }, 'traits.age is 18'],
    [{ 'context.page.path': { $regex: '^/sale/' } }, 'context.page.path is "/sale/"'],
    [{ segments: { $in: ['rich', 'old'] } }, 'segments is ["rich"]'],
    [{ segments: { $all: ['rich', 'old'] } }, 'segments is ["rich", "old"]'],
    [{ 'profile.sessions': { $gte: 3 } }, 'profile.sessions is 3'],
    [{ 'profile.firstSeen': { $lt: '2026-01-01T00:00:00Z' } }, 'profile.firstSeen is "2025-12-31T23:59:59.999Z"'],
    [{ 'traits.tags': { $elemMatch: { name: 'a', n: { $gt: 3 } } } }, 'traits.tags is [{"name": "a", "n": 4}]'],
    [{ 'traits.tags': { $size: { $gte: 2 } } }, 'traits.tags is ["x", "x"]'],
    [{ 'context.app': { $vgte: '2.1.0' } }, 'context.app is "2.1.0"'],
    [{ $nor: [{ 'traits.kind': { $type: 'null' } }] }, 'traits.kind is "x"'],
    // Only what has another type than the condition expects gets through.
    [{ 'traits.age': { $not: { $lt: 18 } }, $nor: [{ 'traits.age': { $gte: 18 } }] }, 'traits.age is "x"'],
  ] as [JsonObject, string][])('is found just beyond, of other types, in lists and times: %j', (where, words) => {
    const given = { profile: {}, context: {} }
    expect(found(slotOf(), [content('a', where)], { given, expect: { never: ['a'] } })).toEqual([
      `never a: it can be shown where ${words}`,
    ])
  })

  it('is found where a campaign or other content comes first, and says why', () => {
    const pinned = slotOf({
      campaigns: [{ id: 'sale', where: { 'context.locale': 'fr' }, contentIds: ['sale'], mode: 'pin' }],
      policy: { type: 'fixed', contentIds: ['tent', 'sale'] },
    })
    const contents = [content('tent', { 'traits.plan': { $ne: 'free' } }), content('sale')]
    expect(found(pinned, contents, { given: { profile: {} }, expect: { always: ['tent'] } })).toEqual([
      'always tent: where traits.plan is "free", it cannot be shown, condition: traits.plan is "free", wanted not "free"',
    ])
    const free = { profile: { traits: { plan: 'pro' } } }
    expect(found(pinned, contents, { given: free, expect: { always: ['tent'] } })).toEqual([
      'always tent: where context.locale is "fr", it cannot be shown, other content comes first',
    ])
    // What comes second by the policy is shown where the first is not.
    const second = slotOf({ policy: { type: 'fixed', contentIds: ['tent', 'sale'] } })
    expect(found(second, contents, { given: { profile: {} }, expect: { never: ['sale'] } })).toEqual([
      'never sale: it can be shown where traits.plan is "free"',
    ])
  })
})

describe('a catalog without a hole', () => {
  const both = [content('sale', { 'traits.plan': { $ne: 'vip' } }), content('tent')]

  it('is not accused', () => {
    expect(found(slotOf(), both, { given: VIP, expect: { never: ['sale'] } })).toEqual([])
    const always = { ...VIP, context: {} }
    expect(found(slotOf(), both, { given: always, expect: { always: ['tent'] } })).toEqual([])
    expect(found(slotOf(), [content('a')], { given: { profile: {} }, expect: { always: ['a'] } })).toEqual([])
  })

  it('is not accused by persons who are not as the test says', () => {
    // Of a newcomer nothing is known.
    const newcomers = [content('new', { 'profile.sessions': { $lte: 1 } }), content('old', { 'traits.plan': 'pro' })]
    for (const given of [{}, { context: {} }])
      expect(found(slotOf(), newcomers, { given, expect: { always: ['new'], never: ['old'] } })).toEqual([])
    const where = { 'context.page.path': '/a', segments: { $in: ['x'] }, now: { $lt: '2026-01-01T00:00:00Z' } }
    for (const given of [
      { profile: { segments: ['x'] }, context: { page: { path: '/b' } }, now: '2025-06-01T00:00:00Z' },
      { profile: { segments: [] }, context: { page: { path: '/a' } }, now: '2025-06-01T00:00:00Z' },
      { profile: { segments: ['x'] }, context: { page: { path: '/a' } } },
      { profile: { segments: ['x'] }, context: { page: '/a' }, now: '2025-06-01T00:00:00Z' },
    ])
      expect(found(slotOf(), [content('a', where)], { given, expect: { never: ['a'] } })).toEqual([])
    // Times and counts are ones that a profile can have.
    const odd = content('odd', { 'profile.events': { $lt: 0 } })
    expect(found(slotOf(), [odd], { given: { profile: {} }, expect: { never: ['odd'] } })).toEqual([])
  })
})

describe('the search', () => {
  const PATHS = ['traits.a', 'traits.b', 'context.c']
  const VALUES: Json[] = [1, 2, 'x', true]
  const someWhere = (random: Random, depth = 0): JsonObject => {
    const { next, int, pick } = random
    if (depth < 2 && next() < 0.4) {
      const parts = Array.from({ length: int(1, 3) }, () => someWhere(random, depth + 1))
      return { [pick(['$and', '$or', '$nor'])]: parts }
    }
    const value = pick(VALUES)
    return {
      [pick(PATHS)]: pick([
        value,
        { $ne: value },
        { $gt: value },
        { $in: [value] },
        { $exists: value === 1 },
      ] as Json[]),
    }
  }

  it('finds what trying all values finds, for conditions of many kinds', () => {
    const random = createRandom(18)
    const all: (Json | undefined)[] = [1, 2, 0, 3, 'x', 'xx', 'X', true, false, 7, undefined]
    const counts = { found: 0, none: 0 }
    for (let n = 0; n < 400; n++) {
      const where = someWhere(random)
      const catalog = { slots: [slotOf()], content: [content('a', where), content('b')] }
      const test: DecisionTest = { given: { profile: {} }, slot: 'hero', expect: { never: ['a'] } }
      const run = createRunDecisionTest(catalog, 'shop', NOW)
      if (run(test).length > 0) continue
      const compiled = compileWhere(where)
      const matches = (traits: JsonObject, context: JsonObject) =>
        compiled.ok && compiled.value.matches({ traits, context })
      const isBroken = all.some(a =>
        all.some(b =>
          all.some(c => {
            const traits = { ...(a !== undefined && { a }), ...(b !== undefined && { b }) }
            return matches(traits, c === undefined ? {} : { c })
          }),
        ),
      )
      const lines = createFindCounterExamples(catalog, 'shop', NOW)(test)
      expect({ where, isFound: lines.length > 0 }).toEqual({ where, isFound: isBroken })
      counts[isBroken ? 'found' : 'none']++
    }
    expect(counts.found).toBeGreaterThan(50)
    expect(counts.none).toBeGreaterThan(10)
  })

  it('is bounded, and the same each time', () => {
    expect([1, 100, 1_000, 10_000].map(trialsOf)).toEqual([200, 200, 20, 20])
    const where = { $or: Array.from({ length: 30 }, (_, n) => ({ [`traits.t${n}`]: { $gt: n } })) }
    const contents = Array.from({ length: 40 }, (_, n) => content(`c${n}`, where, { weight: 0 }))
    const test = { given: { profile: {} }, expect: { never: ['c3'] } }
    const first = found(slotOf(), contents, test)
    expect(first).toEqual(['never c3: it can be shown where traits.t0 is 1'])
    expect(found(slotOf(), contents, test)).toEqual(first)
    expect(found(slotOf(), contents, test, 0)).toEqual([])
  })
})

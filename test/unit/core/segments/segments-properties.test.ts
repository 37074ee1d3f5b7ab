import type { SegmentDefinition } from '@slotstream/protocol'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SegmentAttributes } from '#core/segments/attributes.js'
import { compileSegments } from '#core/segments/compile-segments.js'
import { compileWhere } from '#core/segments/compile-where.js'
import { changesOf, type PersonAttributes, segmentsOf } from '#core/segments/membership.js'
import { createPreview, mergePreviews } from '#core/segments/preview.js'

const NAMES = ['s0', 's1', 's2', 's3', 's4', 's5', 's6', 's7']

/** Conditions that ask for segments of a lower number only, so that there are no circles. */
const segment = (index: number): fc.Arbitrary<SegmentDefinition> => {
  const lower = fc.subarray(NAMES.slice(0, index))
  const views = fc.record({ 'features.views': fc.record({ $gte: fc.nat({ max: 4 }) }) })
  const nested = fc
    .tuple(fc.constantFrom('$in', '$nin', '$all'), lower)
    .map(([operator, names]) => ({ segments: { [operator]: names } }))
  const where = fc.oneof(views, nested, fc.record({ $or: fc.tuple(views, nested) }), fc.record({ $not: nested }))
  return fc.record(
    { name: fc.constant(NAMES[index]!), where, leaveWhere: fc.oneof(views, nested) },
    { requiredKeys: ['name', 'where'] },
  ) as fc.Arbitrary<SegmentDefinition>
}
const set = fc.tuple(...NAMES.map((_, index) => segment(index)))

const person = (views: number): PersonAttributes => ({
  features: { views },
  signals: [],
  traits: {},
  context: {},
  now: '2026-11-27T09:00:00.000Z',
  profile: { firstSeen: '', lastSeen: '', sessions: 1, events: 1 },
})

function compiled(definitions: SegmentDefinition[]) {
  const result = compileSegments(definitions, ['views'])
  if (!result.ok) throw new Error(result.reason)
  return result.value
}

describe('segments', () => {
  it('are the same in whatever order they are defined, each after those it asks for', () => {
    fc.assert(
      fc.property(
        set.chain(definitions =>
          fc.tuple(fc.constant(definitions), fc.shuffledSubarray(definitions, { minLength: NAMES.length })),
        ),
        fc.nat({ max: 5 }),
        fc.subarray(NAMES),
        ([definitions, shuffled], views, before) => {
          const sorted = compiled(definitions)
          const other = compiled(shuffled)
          const changes = changesOf(sorted, before, person(views))
          expect(changesOf(other, before, person(views)).segments.toSorted()).toEqual(changes.segments.toSorted())
          const order = other.segments.map(({ name }) => name)
          for (const { name, where, leaveWhere } of shuffled)
            for (const asked of JSON.stringify([where, leaveWhere]).match(/s\d/g) ?? [])
              expect(order.indexOf(asked)).toBeLessThan(order.indexOf(name))
        },
      ),
    )
  })

  it('change by what is entered and left, and settle', () => {
    fc.assert(
      fc.property(set, fc.array(fc.nat({ max: 5 }), { maxLength: 8 }), (definitions, steps) => {
        const segments = compiled(definitions)
        let members: string[] = []
        for (const views of steps) {
          const changes = changesOf(segments, members, person(views))
          const expected = new Set([...members, ...changes.entered].filter(name => !changes.left.includes(name)))
          expect([...expected].toSorted()).toEqual(changes.segments.toSorted())
          expect(changes.entered.filter(name => members.includes(name))).toEqual([])
          expect(changes.left.filter(name => !members.includes(name))).toEqual([])
          members = changes.segments
        }
        expect(segmentsOf(segments, person(3))).toEqual(changesOf(segments, [], person(3)).segments)
      }),
    )
  })

  it('with hysteresis do not flap: the same attributes again change nothing', () => {
    const alone = fc.tuple(fc.nat({ max: 4 }), fc.nat({ max: 4 })).map(([enter, leave]) =>
      compiled([
        {
          name: 'it',
          where: { 'features.views': { $gte: enter } },
          leaveWhere: { 'features.views': { $lt: leave } },
        },
      ]),
    )
    fc.assert(
      fc.property(alone, fc.boolean(), fc.nat({ max: 5 }), (segments, wasMember, views) => {
        const once = changesOf(segments, wasMember ? ['it'] : [], person(views)).segments
        expect(changesOf(segments, once, person(views))).toMatchObject({ segments: once, entered: [], left: [] })
      }),
    )
  })
})

describe('a preview', () => {
  it('is the same in any order, and the sum of its parts', () => {
    const condition = compileWhere({
      'features.views': { $gte: 2 },
      $or: [{ 'traits.a': 1 }, { 'traits.b': { $gt: 1, $lt: 3 } }],
    })
    if (!condition.ok) throw new Error(condition.reason)
    const someone = fc.record({
      views: fc.nat({ max: 3 }),
      a: fc.nat({ max: 1 }),
      b: fc.nat({ max: 3 }),
      part: fc.nat({ max: 2 }),
    })
    const of = (people: { id: string; attributes: SegmentAttributes }[]) => {
      const preview = createPreview(condition.value)
      for (const { id, attributes } of people) preview.add(id, attributes)
      return preview.result()
    }
    fc.assert(
      fc.property(fc.array(someone, { maxLength: 60 }), fc.infiniteStream(fc.nat()), (list, order) => {
        const people = list.map(({ views, a, b, part }, i) => ({
          id: `p${i}`,
          part,
          attributes: { ...person(views), segments: [], traits: { a, b } },
        }))
        const shuffled = people
          .map(each => ({ each, rank: order.next().value as number }))
          .toSorted((x, y) => x.rank - y.rank)
        const whole = of(people)
        expect(of(shuffled.map(({ each }) => each))).toEqual(whole)
        expect(mergePreviews([0, 1, 2].map(part => of(people.filter(each => each.part === part))))).toEqual(whole)
        expect(whole.size).toBe(people.filter(({ attributes }) => condition.value.matches(attributes)).length)
      }),
    )
  })
})

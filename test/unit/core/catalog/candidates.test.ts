import type { Content, JsonObject, Slot } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { compileCandidates, missesOfCandidates, takerOf } from '#core/catalog/candidates.js'
import { createClauses } from '#core/catalog/clauses.js'
import { compileSlot } from '#core/catalog/compile-slot.js'
import { recordedVersion } from '#core/catalog/slot-of-arm.js'
import { MAX_CANDIDATES_CLAUSES } from '#core/conditions/limits.js'

const content = (fields: Partial<Content> = {}): Content => ({
  id: 'a',
  slots: [],
  category: '',
  payload: {},
  ...fields,
})
const takes = (candidates: JsonObject, fields: Partial<Content>) => takerOf({ id: 'hero', candidates })(content(fields))
const faultsOf = (candidates: JsonObject) => {
  const compiled = compileCandidates(candidates)
  return compiled.ok ? [] : compiled.faults
}

describe('the candidates of a slot', () => {
  it.each<[JsonObject, Partial<Content>, Partial<Content>]>([
    [
      { category: 'tents', price: { $lt: 200 } },
      { category: 'tents', price: 199 },
      { category: 'tents', price: 200 },
    ],
    [{ tags: { $in: ['summer', 'sale'] } }, { tags: ['camp', 'sale'] }, { tags: ['camp'] }],
    [{ tags: { $nin: ['hidden'] } }, {}, { tags: ['hidden'] }],
    [{ brand: { $ini: ['acme'] } }, { brand: 'ACME' }, {}],
    [
      { 'attributes.season.name': 'winter' },
      { attributes: { season: { name: 'winter' } } },
      { attributes: { season: 'winter' } },
    ],
    [
      { 'payload.title': { $regex: '^Tent [0-9]+$' } },
      { payload: { title: 'Tent 4' } },
      { payload: { title: 'Tent' } },
    ],
    [{ id: { $in: ['a', 'b'] } }, {}, { id: 'c' }],
    [
      { endsAt: { $lt: '2026-12-24T18:00:00+01:00' } },
      { endsAt: '2026-12-24T16:59:59Z' },
      { endsAt: '2026-12-24T17:00:00Z' },
    ],
    [{ $or: [{ category: 'x' }, { price: { $gt: 9 } }] }, { category: 'x' }, { category: 'y', price: 9 }],
  ])('%j: takes what meets them, and not what does not', (candidates, met, unmet) => {
    expect(faultsOf(candidates)).toEqual([])
    expect(takes(candidates, met)).toBe(true)
    expect(takes(candidates, unmet)).toBe(false)
  })

  it('are beside the contents that name the slot, whether those meet them or not', () => {
    expect(takes({ category: 'tents' }, { category: 'lamps', slots: ['hero'] })).toBe(true)
    expect(takes({ category: 'tents' }, { category: 'lamps', slots: ['aside'] })).toBe(false)
    expect(takerOf({ id: 'hero' })(content({ category: 'tents' }))).toBe(false)
    expect(takes({}, {})).toBe(true)
  })

  it('read what a content leaves out as what it means: weight 1, endless stock, and else as missing', () => {
    expect(takes({ stock: { $gt: 1_000_000 } }, {})).toBe(true)
    expect(takes({ stock: { $lt: 5 } }, {})).toBe(false)
    expect(takes({ stock: { $lt: 5 } }, { stock: 4 })).toBe(true)
    expect(takes({ weight: { $gte: 1 } }, {})).toBe(true)
    expect(takes({ price: { $lt: 200 } }, {})).toBe(true)
    expect(takes({ price: { $lt: 200, $exists: true } }, {})).toBe(false)
    expect(takes({ 'attributes.constructor': { $exists: true } }, { attributes: {} })).toBe(false)
  })

  it.each<[JsonObject, string]>([
    [
      { catgory: 'x' },
      'candidates.catgory: a content has no "catgory" that can be asked for: did you mean "category"?',
    ],
    [
      { 'traits.plan': 'pro' },
      'candidates.traits.plan: a content has no "traits" that can be asked for: there are id, category, tags',
    ],
    [{ 'price.eur': 1 }, 'candidates.price.eur: price has no fields'],
    [{ attributes: { a: 1 } }, 'candidates.attributes: name what is asked, such as attributes.season'],
    [{ 'attributes.': 1 }, 'candidates.attributes.: name what is asked'],
    [{ price: { $les: 1 } }, 'candidates.price.$les: unknown operator $les'],
    [{ brand: { $regex: '(a)\\1' } }, 'candidates.brand.$regex: '],
    [{ slots: ['hero'] }, 'candidates.slots: a content has no "slots"'],
  ])('%j: names the fault', (candidates, fault) => {
    expect(faultsOf(candidates)[0]).toContain(fault)
    expect(takes(candidates, { slots: ['hero'] })).toBe(true)
    expect(takes(candidates, { category: 'x', price: 1 })).toBe(false)
  })

  it('have a bound, because all contents are asked', () => {
    const any = (clauses: number) => ({ $or: Array.from({ length: clauses }, (_, n) => ({ brand: `b${n}` })) })
    expect(faultsOf(any(MAX_CANDIDATES_CLAUSES))).toEqual([])
    expect(faultsOf(any(MAX_CANDIDATES_CLAUSES + 1))[0]).toContain(`${MAX_CANDIDATES_CLAUSES} are allowed`)
  })

  it('say why they do not take a content', () => {
    const candidates = { category: 'tents', price: { $lt: 200 } }
    expect(missesOfCandidates({ candidates }, content({ category: 'tents', price: 250 }))).toEqual([
      'price is 250, wanted less than 200',
    ])
    expect(missesOfCandidates({}, content())).toEqual([])
  })

  it('change the version of decisions only where other contents are found', () => {
    const contents = new Map(
      [content({ id: 'b', price: 1 }), content({ id: 'a', price: 2 }), content({ id: 'c', price: 3 })].map(each => [
        each.id,
        each,
      ]),
    )
    const slot = (most: number): Slot => ({ id: 'hero', count: 1, holdout: 0, candidates: { price: { $lte: most } } })
    const version = (most: number) => recordedVersion(slot(most), contents)
    expect(version(2).contentIds).toEqual(['a', 'b'])
    expect(version(2.5)).toEqual(version(2))
    expect(version(3).policyVersion).not.toBe(version(2).policyVersion)
    const arm = { id: 'few', share: 1, contentIds: ['c', 'b'] }
    expect(recordedVersion(slot(2), contents, arm).contentIds).toEqual(['b'])
  })

  it('that are broken are a fault of the slot, which has the contents that name it', () => {
    const slot: Slot = { id: 'hero', count: 1, holdout: 0, candidates: { prize: 1 } }
    const compiled = compileSlot(slot, [content(), content({ id: 'b', slots: ['hero'] })], createClauses())
    expect(compiled.contents.map(({ id }) => id)).toEqual(['b'])
    expect(compiled.faults).toEqual([expect.stringContaining('candidates.prize')])
  })
})

import type { SegmentDefinition } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { readAttribute } from '#core/segments/attributes.js'
import { compileSegments } from '#core/segments/compile-segments.js'
import { compileWhere } from '#core/segments/compile-where.js'
import { changesOf, type PersonAttributes, segmentsOf } from '#core/segments/membership.js'

const PROGRAM = { suspicion: { isBot: true, reasons: ['rate' as const] } }

function person(changes: Partial<PersonAttributes> = {}): PersonAttributes {
  return {
    features: {},
    signals: [],
    traits: {},
    context: {},
    now: '2026-11-27T09:00:00.000Z',
    profile: {
      firstSeen: '2026-11-01T00:00:00.000Z',
      lastSeen: '2026-11-27T08:59:00.000Z',
      sessions: 3,
      events: 40,
    },
    ...changes,
  }
}

function compiled(definitions: SegmentDefinition[], features?: string[], signals?: string[]) {
  const result = compileSegments(definitions, features, signals)
  if (!result.ok) throw new Error(result.reason)
  return result.value
}

function faultsOf(definitions: SegmentDefinition[], features?: string[], signals?: string[]): string[] {
  const result = compileSegments(definitions, features, signals)
  return result.ok ? [] : result.faults
}

const views = (camp: number) => person({ features: { views: { camp } } })

describe('a segment', () => {
  it.each<[string, SegmentDefinition['where'], PersonAttributes, boolean]>([
    ['a program', { 'suspicion.isBot': true, 'suspicion.reasons': { $in: ['rate'] } }, person(PROGRAM), true],
    ['a person', { 'suspicion.isBot': { $ne: true } }, person(), true],
    ['the value of a feature', { 'features.spent': { $gte: 100 } }, person({ features: { spent: 120 } }), true],
    ['a key of a feature', { 'features.views.camp': { $gte: 2 } }, views(2), true],
    ['a key with dots', { 'features.views.a.b': 1 }, person({ features: { views: { 'a.b': 1 } } }), true],
    ['a key that is a number', { 'features.views.7': 1 }, person({ features: { views: { 7: 1 } } }), true],
    ['no key of the prototype', { 'features.views.constructor': { $exists: true } }, views(1), false],
    [
      'a list of a feature',
      { 'features.recent': { $in: ['p1'] } },
      person({ features: { recent: ['p2', 'p1'] } }),
      true,
    ],
    ['recent signals', { signals: { $in: ['left-cart'] } }, person({ signals: ['left-cart'] }), true],
    ['traits', { 'traits.address.city': 'Graz' }, person({ traits: { address: { city: 'Graz' } } }), true],
    [
      'context',
      { 'context.page.path': { $regex: '^/shop/' } },
      person({ context: { page: { path: '/shop/a' } } }),
      true,
    ],
    ['now', { now: { $gte: '2026-11-27T10:00:00+01:00', $lt: '2026-11-28' } }, person(), true],
    ['first seen', { 'profile.firstSeen': { $lt: '2026-11-01T00:00:00Z' } }, person(), false],
    ['sessions', { 'profile.sessions': 3, 'profile.events': { $gt: 39 } }, person(), true],
  ])('asks for %s', (_, where, attributes, expected) => {
    expect(segmentsOf(compiled([{ name: 'it', where }]), attributes)).toEqual(expected ? ['it'] : [])
  })

  it('may ask for others, whatever the order of the definitions', () => {
    const segments = compiled([
      { name: 'rich-camper', where: { segments: { $all: ['rich', 'camper'] } } },
      { name: 'not-rich', where: { $not: { segments: { $in: ['rich'] } } } },
      { name: 'rich', where: { 'features.spent': { $gte: 100 } } },
      { name: 'camper', where: { 'features.views.camp': { $gte: 2 } } },
      { name: 'neither', where: { segments: { $nin: ['rich-camper'], $not: { $elemMatch: { $in: ['camper'] } } } } },
    ])
    expect(segments.segments.map(({ name }) => name)).toEqual(['rich', 'camper', 'rich-camper', 'not-rich', 'neither'])
    expect(segmentsOf(segments, person({ features: { spent: 100, views: { camp: 2 } } }))).toEqual([
      'rich',
      'camper',
      'rich-camper',
    ])
    expect(segmentsOf(segments, views(2))).toEqual(['camper', 'not-rich'])
    expect(segmentsOf(segments, person())).toEqual(['not-rich', 'neither'])
  })

  it('is decided by what is evaluated, not by the segments that the attributes bring', () => {
    const segments = compiled([
      { name: 'rich', where: { 'features.spent': { $gte: 100 } } },
      { name: 'nested', where: { segments: { $in: ['rich'] } } },
    ])
    expect(segmentsOf(segments, { ...person(), segments: ['rich'] } as PersonAttributes)).toEqual([])
  })

  it('names what it reads, so that nothing else need be computed', () => {
    const { paths, features } = compiled([
      { name: 'a', where: { 'features.views.camp': 1, 'features.views.home': 1, 'traits.plan': 'pro' } },
      {
        name: 'b',
        where: { 'features.spent': 1 },
        leaveWhere: { 'features.cart': { $size: 0 }, now: { $gt: '2026-12-01' } },
      },
    ])
    expect(paths).toEqual([
      'features.views.camp',
      'features.views.home',
      'traits.plan',
      'features.spent',
      'features.cart',
      'now',
    ])
    expect(features).toEqual(['views', 'spent', 'cart'])
  })
})

describe('membership', () => {
  const segments = compiled([
    { name: 'hot', where: { 'features.views.camp': { $gte: 5 } }, leaveWhere: { 'features.views.camp': { $lt: 2 } } },
    { name: 'warm', where: { 'features.views.camp': { $gte: 3 } } },
    { name: 'hot-and-warm', where: { segments: { $all: ['hot', 'warm'] } } },
  ])
  const changes = (before: string[], camp: number) => changesOf(segments, before, views(camp))

  it('is entered and left', () => {
    expect(changes([], 3)).toEqual({ segments: ['warm'], entered: ['warm'], left: [], dropped: [] })
    expect(changes(['warm'], 2)).toEqual({ segments: [], entered: [], left: ['warm'], dropped: [] })
  })

  it('of one that says when it is left stays until then, and nested ones see it', () => {
    expect(changes([], 4).segments).toEqual(['warm'])
    expect(changes([], 5).entered).toEqual(['hot', 'warm', 'hot-and-warm'])
    expect(changes(['hot', 'warm', 'hot-and-warm'], 4)).toEqual({
      segments: ['hot', 'warm', 'hot-and-warm'],
      entered: [],
      left: [],
      dropped: [],
    })
    expect(changes(['hot', 'warm', 'hot-and-warm'], 2)).toMatchObject({
      segments: ['hot'],
      left: ['warm', 'hot-and-warm'],
    })
    expect(changes(['hot'], 1)).toMatchObject({ segments: [], left: ['hot'] })
  })

  it('is not entered while it would be left at once', () => {
    const both = compiled([
      { name: 'both', where: { 'features.views.camp': 1 }, leaveWhere: { 'features.views.camp': 1 } },
    ])
    expect(changesOf(both, [], views(1)).segments).toEqual([])
    expect(changesOf(both, ['both'], views(1)).left).toEqual(['both'])
    expect(changesOf(both, ['both'], views(2)).segments).toEqual(['both'])
  })

  it('of a segment that is no longer defined is dropped, not left', () => {
    expect(changes(['gone', 'warm'], 3)).toEqual({ segments: ['warm'], entered: [], left: [], dropped: ['gone'] })
  })
})

describe('a set of segments is rejected', () => {
  const cases: [where: SegmentDefinition['where'], reason: string][] = [
    [
      { 'features.vievs.camp': 1 },
      'segments[0].where.features.vievs.camp: there is no feature "vievs": did you mean "views"?',
    ],
    [{ 'features.zzz': 1 }, 'there is no feature "zzz": there are views, spent'],
    [
      { features: { views: 1 } },
      'name a feature, and the key of its value if it has keys: features.NAME or features.NAME.KEY',
    ],
    [{ segments: { $in: ['on'] } }, 'segments[0].where.segments: there is no segment "on": did you mean "one"?'],
    [
      { segments: { $in: ['xxxx', 'one', 'yyyy'] } },
      'there is no segment "xxxx": there are it, one; there is no segment "yyyy"',
    ],
    [{ segments: 'one' }, 'segments[0].where.segments: is a list of names: write {"segments":{"$in":["one"]}}'],
    [{ segments: { $size: 1 } }, 'segments[0].where.segments: takes $in, $nin, $all, $elemMatch, $not, not $size'],
    [{ segments: { $all: [{ $eq: 'one' }] } }, 'segments[0].where.segments: $all takes names'],
    [{ segments: { $elemMatch: { $ne: 'one' } } }, '$elemMatch takes {"$eq": "name"} or {"$in": ["name"]}'],
    [{ segments: { $not: 'one' } }, 'segments[0].where.segments: is a list of names'],
    [{ 'segments.0': 'one' }, 'segments[0].where.segments.0: segments is a list of names, without fields'],
    [{ signals: { $in: ['left-card'] } }, 'there is no signal "left-card": did you mean "left-cart"?'],
    [{ signal: { $in: ['left-cart'] } }, 'there is no attribute "signal": did you mean "signals"?'],
    [{ traits: { plan: 'pro' } }, 'segments[0].where.traits: name what is asked, such as traits.plan'],
    [{ 'context.': 1 }, 'segments[0].where.context.: name what is asked, such as context.page.path'],
    [{ 'now.hour': 1 }, 'segments[0].where.now.hour: now is a time, without fields'],
    [{ now: { $gt: 'soon' } }, 'segments[0].where.now.$gt: must be a time such as "2026-11-27T09:00:00Z", not "soon"'],
    [{ 'profile.session': 1 }, 'there is no field of profile "session": did you mean "sessions"?'],
    [{ profile: 1 }, 'there is no field of profile "": there are firstSeen, lastSeen, sessions, events'],
    [
      { country: 'DE' },
      'there is no attribute "country": there are features, segments, signals, traits, context, now, profile, suspicion',
    ],
  ]

  it.each(cases.map(([where, reason]) => [reason, where] as const))('%s', (reason, where) => {
    const definitions = [
      { name: 'it', where },
      { name: 'one', where: {} },
    ]
    expect(faultsOf(definitions, ['views', 'spent'], ['left-cart'])).toEqual([expect.stringContaining(reason)])
  })

  it('with all faults of all segments', () => {
    expect(
      faultsOf([
        { name: 'rich', where: { 'traits.plan': { $gte2: 1 } }, leaveWhere: { segments: { $in: ['other'] } } },
        { name: 'rich', where: { now: 1.5, segments: { $in: ['rich'] } } },
      ]),
    ).toEqual([
      'segments[0].where.traits.plan.$gte2: unknown operator $gte2: did you mean $gte?',
      'segments[0].leaveWhere.segments: there is no segment "other": there are rich',
      'segments[1].name: there are two segments "rich"',
      'segments[0]: depends on itself: rich → rich',
    ])
  })

  it('with circles, each named', () => {
    const asks = (name: string, ...names: string[]) => ({ name, where: { segments: { $in: names } } })
    expect(faultsOf([asks('a', 'b'), asks('b', 'c', 'e'), asks('c', 'a'), asks('d', 'd'), asks('e')])).toEqual([
      'segments[0]: depends on itself: a → b → c → a',
      'segments[3]: depends on itself: d → d',
    ])
    expect(
      faultsOf([{ name: 'a', where: {}, leaveWhere: { $or: [{ $not: { segments: { $nin: ['a'] } } }] } }]),
    ).toEqual(['segments[0]: depends on itself: a → a'])
  })

  it('unless names are not known, where any will do', () => {
    expect(compileWhere({ 'features.any': 1, segments: { $in: ['any'] }, signals: { $in: ['any'] } }).ok).toBe(true)
    expect(
      compileWhere({ segments: { $in: ['any'] } }, { segments: ['one'] }, { path: 'content[3].where' }),
    ).toMatchObject({
      reason: 'content[3].where.segments: there is no segment "any": there are one',
    })
  })
})

it('a path of attributes is read whatever is missing', () => {
  for (const path of ['features.a.b', 'features.a', 'traits.a.b', 'now', 'segments'])
    for (const odd of [undefined, null, {}, { features: null }, { features: { a: 1 } }, 7])
      if (!(path === 'features.a' && (odd as { features?: { a?: number } })?.features?.a))
        expect(readAttribute(path)(odd)).toBeUndefined()
})

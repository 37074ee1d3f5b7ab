import {
  checkDefinitionForm,
  DEFINITION_KINDS,
  type DefinitionKind,
  MAX_DEFINITIONS,
  parseDuration,
} from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { FEATURE_FIELDS } from '#protocol/site/definitions/feature-fields.js'

const VIEWS = { name: 'views', source: { event: 'Product Viewed' }, aggregate: 'count' }
const SPENT = { name: 'spent', source: { event: 'Order Completed' }, aggregate: 'sum', value: 'properties.revenue' }

function faultsOf(kind: DefinitionKind, items: unknown): string[] {
  const checked = checkDefinitionForm(kind, items)
  return checked.ok ? [] : checked.faults
}

/** A definition of each kind without faults. */
const GOOD = {
  features: VIEWS,
  patterns: { name: 'left-cart', sequence: [{ event: 'A' }, { not: { event: 'B' }, within: '30m' }] },
  segments: { name: 'campers', where: { 'features.views.camp': { $gte: 2 } } },
}

/** Faults of one feature, without the path of the feature. */
const faultsOfFeature = (feature: unknown) =>
  faultsOf('features', [feature]).map(line => line.replace(/^features\[0\]\.?/, ''))

describe('a duration', () => {
  it.each([
    ['1s', 1_000],
    ['5m', 300_000],
    ['24h', 86_400_000],
    ['30d', 2_592_000_000],
    ['0s', 0],
    ['99999999d', 99_999_999 * 86_400_000],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
    expect(Number.isSafeInteger(ms)).toBe(true)
  })

  it.each(['', '5', 'm', '5 m', '5M', '1.5h', '-1h', '+1h', '05m', '1w', '5m ', '5m\n', '123456789s', '1h30m'])(
    '%j is none',
    text => {
      expect(parseDuration(text)).toBeUndefined()
    },
  )
})

describe('a feature', () => {
  it.each([
    VIEWS,
    SPENT,
    { ...VIEWS, source: { event: 'Product Viewed', where: { 'properties.price': { $gt: 10 } } }, window: 'lifetime' },
    { ...VIEWS, by: 'properties.category', window: '5m', tumbling: true, entity: 'content', keys: 500 },
    {
      ...VIEWS,
      source: { events: { 'Product Viewed': 1, 'Product Added': 3, 'Product Removed': -1 } },
      halfLife: '7d',
    },
    { ...VIEWS, aggregate: 'exists', source: { event: '*' }, window: 'session', description: 'was here' },
    { ...SPENT, aggregate: 'unique', source: { events: { A: 1, B: 1 } }, window: '400d' },
    { ...SPENT, value: 'order.amount', by: 'order.currency' },
    ...['count', 'sum', 'min', 'max', 'mean', 'first', 'topK'].map(aggregate => ({ ...VIEWS, aggregate, value: 1 })),
    ...['count', 'sum', 'min', 'max', 'mean'].map(aggregate => ({ ...VIEWS, aggregate })),
    { ...VIEWS, value: 'properties.price' },
    { ...VIEWS, by: 'product.category' },
    { name: 'views', off: true },
  ])('%j is taken as it is', feature => {
    expect(checkDefinitionForm('features', [feature])).toEqual({ ok: true, value: [feature] })
  })

  it.each([
    [{ ...VIEWS, agregate: 'count' }, ['agregate: unknown field, did you mean "aggregate"?']],
    [{ ...VIEWS, colour: 1 }, [/^colour: unknown field, there are name, source, aggregate, value/]],
    [{ ...VIEWS, source: { event: 'E', were: {} } }, ['source.were: unknown field, did you mean "where"?']],
    [{ ...VIEWS, aggregate: 'avg' }, [/^aggregate: must be one of count, sum, .*, topK, not "avg"$/]],
    [{ ...VIEWS, aggregate: 'constructor' }, [/^aggregate: must be one of/]],
    [{ ...VIEWS, name: 'a b' }, [/^name: must be text of 1 to 100 letters, digits, "_" and "-", not "a b"$/]],
    [{ ...VIEWS, name: '__proto__' }, [/^name: must be/]],
    [{ name: 'views' }, [/^source: must be an object: .*, not nothing$/, /^aggregate: must be .*, not nothing$/]],
    [{ ...VIEWS, source: {} }, [/^source\.event: must be an event's name/]],
    [
      { ...VIEWS, source: { event: 'E', events: { E: 1 } } },
      ['source.events: stands in place of event, leave one of them out'],
    ],
    [{ ...VIEWS, source: { events: {} } }, [/^source\.events: must be an object of 1 to 50 events/]],
    [
      { ...VIEWS, source: { events: { E: '1', F: 0 } } },
      [/^source\.events\["E"\]: must be a number/, /^source\.events\["F"\]/],
    ],
    [
      { ...SPENT, aggregate: 'max', source: { events: { E: 2 } } },
      ['source.events["E"]: weights count with count and sum only, give it 1'],
    ],
    [{ ...VIEWS, source: { event: 'E', where: [] } }, [/^source\.where: must be a condition, .*, not a list$/]],
    [{ ...VIEWS, aggregate: 'last' }, ['value: is missing, last needs a path such as properties.price']],
    [{ ...VIEWS, aggregate: 'exists', value: 'properties.x' }, ['value: exists reads no value, leave it out']],
    [{ ...SPENT, value: 2 }, [/^value: must be a path in the message, .*, or 1, not 2$/]],
    [{ ...SPENT, value: 'property.price' }, [/, not "property\.price": did you mean "properties\.price"\?$/]],
    [{ ...VIEWS, by: 'propertes.category' }, [/, not "propertes\.category": did you mean "properties\.category"\?$/]],
    [{ ...VIEWS, by: 'product.categry' }, [/: did you mean "product\.category"\?$/]],
    [{ ...VIEWS, aggregate: 'cuont' }, [/^aggregate: must be .*, not "cuont": did you mean "count"\?$/]],
    [{ ...VIEWS, aggregate: 'Count' }, [/: did you mean "count"\?$/]],
    [{ ...SPENT, aggregate: 'topk' }, [/: did you mean "topK"\?$/]],
    [{ ...VIEWS, window: '24H' }, [/, not "24H": did you mean "24h"\?$/]],
    [{ ...VIEWS, window: 'Session' }, [/: did you mean "session"\?$/]],
    [{ ...VIEWS, halfLife: '7 days' }, [/: did you mean "7d"\?$/]],
    [{ ...VIEWS, entity: 'contnt' }, [/: did you mean "content"\?$/]],
    [
      { name: 'views', source: { evnt: 'E' }, agregate: 'count' },
      ['agregate: unknown field, did you mean "aggregate"?', 'source.evnt: unknown field, did you mean "event"?'],
    ],
    [{ ...VIEWS, aggregate: 'last', valu: 'properties.x' }, ['valu: unknown field, did you mean "value"?']],
    [{ ...SPENT, value: 'product.colour' }, [/^value: must be a path/]],
    [{ ...SPENT, value: 'properties..price' }, [/^value: must be a path/]],
    [{ ...VIEWS, by: 'properties.__proto__' }, [/^by: must be a path/]],
    [{ ...VIEWS, window: '2 weeks' }, [/^window: must be "session", "lifetime" or a duration .*, not "2 weeks"$/]],
    [{ ...VIEWS, window: '401d' }, [/^window: must be/]],
    [{ ...VIEWS, window: '0s' }, [/^window: must be/]],
    [{ ...VIEWS, window: '1h', halfLife: '1d' }, ['halfLife: stands in place of window, leave one of them out']],
    [{ ...SPENT, aggregate: 'last', halfLife: '1d' }, ['halfLife: goes with count and sum only, not with last']],
    [{ ...VIEWS, tumbling: true }, ['tumbling: goes with a duration as window only']],
    [{ ...VIEWS, tumbling: true, window: 'session' }, ['tumbling: goes with a duration as window only']],
    [{ ...VIEWS, entity: 'user' }, ['entity: must be one of person, session, content, not "user"']],
    [{ ...VIEWS, keys: 501 }, ['keys: must be a whole number from 1 to 500, not 501']],
    [{ ...VIEWS, description: 'x'.repeat(501) }, [/^description: must be text of at most 500 characters, not "x+…$/]],
    [{ name: 'views', off: false }, ['off: must be true, or left out, not false']],
    [{ name: 'views', off: true, window: '1h' }, ['window: unknown field, there are name, off']],
    ['views', [/^: must be an object, not "views"$/]],
  ] as [unknown, (string | RegExp)[]][])('%j is rejected, and each fault is told', (feature, lines) => {
    const faults = faultsOfFeature(feature)
    expect(faults).toEqual(lines.map(line => (typeof line === 'string' ? line : expect.stringMatching(line))))
  })

  it('has no field that the table of fields lacks a meaning for', () => {
    for (const [name, { form, meaning }] of Object.entries(FEATURE_FIELDS))
      expect([name, form !== '' && meaning !== '']).toEqual([name, true])
  })
})

describe('a segment', () => {
  it.each([
    [{ ...GOOD.segments, leaveWhere: {}, description: 'd' }, []],
    [{ name: 'a', wher: {} }, ['segments[0].wher: unknown field, did you mean "where"?']],
    [{ ...GOOD.segments, were: {} }, ['segments[0].were: unknown field, did you mean "where"?']],
    [{ name: 'a' }, [/^segments\[0\]\.where: must be a condition, .*, not nothing$/]],
    [{ ...GOOD.segments, leaveWhere: 'never' }, [/^segments\[0\]\.leaveWhere: must be a condition, .*, not "never"$/]],
  ] as [unknown, (string | RegExp)[]][])('%j is checked', (segment, lines) => {
    expect(faultsOf('segments', [segment])).toEqual(
      lines.map(line => (typeof line === 'string' ? line : expect.stringMatching(line))),
    )
  })
})

describe('a set', () => {
  it('tells the faults of all its items, each with its path', () => {
    const items = [VIEWS, { ...SPENT, agregate: 1 }, { ...VIEWS }, null]
    expect(faultsOf('features', items)).toEqual([
      'features[1].agregate: unknown field, did you mean "aggregate"?',
      'features[3]: must be an object, not null',
      'features[2].name: "views" is the name of features[0], too',
    ])
  })

  it.each(DEFINITION_KINDS)('of %s has names that differ', kind => {
    const [one, other, again] = ['a', 'b', 'a'].map(name => ({ ...GOOD[kind], name }))
    expect(checkDefinitionForm(kind, [one, other])).toEqual({ ok: true, value: [one, other] })
    expect(faultsOf(kind, [one, again, { ...GOOD[kind], name: '' }, 5])).toEqual([
      `${kind}[2].name: must be text of 1 to 100 letters, digits, "_" and "-", not ""`,
      `${kind}[3]: must be an object, not 5`,
      `${kind}[1].name: "a" is the name of ${kind}[0], too`,
    ])
  })

  it.each([
    ['features', 200],
    ['patterns', 100],
    ['segments', 200],
  ] as const)('of %s holds %d items', (kind, most) => {
    expect(MAX_DEFINITIONS[kind]).toBe(most)
    const items = Array.from({ length: most + 1 }, (_, n) => ({ ...GOOD[kind], name: `n${n}` }))
    expect(faultsOf(kind, items.slice(1))).toEqual([])
    expect(faultsOf(kind, items)).toEqual([`${kind}: has ${most + 1} entries, ${most} are allowed`])
  })

  it('is of at most 256 KB', () => {
    const text = 'x'.repeat(90_000)
    const items = ['a', 'b', 'c'].map(name => ({ name, where: { 'traits.x': text } }))
    expect(faultsOf('segments', items.slice(1))).toEqual([])
    expect(faultsOf('segments', items)).toEqual([
      expect.stringMatching(/^segments: has 270\d+ bytes, 262144 are allowed$/),
    ])
  })

  it('with very many faults tells the first hundred', () => {
    const items = Array.from({ length: 200 }, () => null)
    const faults = faultsOf('features', items)
    expect(faults).toHaveLength(101)
    expect(faults.at(-1)).toBe('and 100 more')
  })

  it('that is no list is rejected', () => {
    for (const items of [undefined, null, {}, 'x', 7]) expect(faultsOf('features', items)).toHaveLength(1)
  })
})

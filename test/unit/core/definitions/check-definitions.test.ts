import { type BuiltInDefinitions, definitionFaults, repairDefinitions } from '@slotstream/core'
import { checkDefinitionForm, type DefinitionKind, type Definitions, type JsonObject } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'

const NONE: Definitions = { features: [], patterns: [], segments: [] }

const feature = (name: string, where?: JsonObject) => ({
  name,
  source: { event: 'Product Viewed', ...(where && { where }) },
  aggregate: 'count' as const,
})
const pattern = (name: string, where: JsonObject = {}) => ({ name, event: 'Product Added', where, count: 2 })
const segment = (name: string, where: JsonObject) => ({ name, where })

const BUILT_IN: BuiltInDefinitions = { features: [feature('recency')], patterns: [pattern('rage')] }

const faultsOf = (kind: DefinitionKind, definitions: Partial<Definitions>) =>
  definitionFaults(kind, { ...NONE, ...definitions }, BUILT_IN)

describe('a set among the others of its site', () => {
  it('that fits has no faults', () => {
    const definitions: Definitions = {
      features: [feature('views', { 'properties.price': { $gt: 10 } })],
      patterns: [pattern('left', { 'context.page.path': { $regex: '^/cart' } })],
      segments: [
        segment('campers', {
          'features.views.camp': { $gte: 2 },
          signals: { $in: ['left', 'rage', 'interest_shift'] },
        }),
        // Text of digits is compared as a number.
        segment('digits', { 'features.recency': { $gt: '1' }, 'features.views': '7' }),
        segment('rich', { 'features.recency': { $gt: 1 }, segments: { $in: ['campers'] } }),
      ],
    }
    for (const kind of ['features', 'patterns', 'segments'] as const) expect(faultsOf(kind, definitions)).toEqual([])
  })

  it.each([
    [
      'features',
      { features: [feature('a'), feature('b', { 'properties.price': { $gtt: 1 } })] },
      /^features\[1\]\.source\.where.*\$gt\b/,
    ],
    [
      'features',
      { features: [feature('a', { 'propertis.price': 1 })] },
      /^features\[0\]\.source\.where.*properties\.price/,
    ],
    ['patterns', { patterns: [pattern('a', { 'properties.x': { $regex: '(' } })] }, /^patterns\[0\]\.where/],
    [
      'segments',
      { segments: [segment('a', { 'features.vews': 1 })], features: [feature('views')] },
      /^segments\[0\]\.where.*no feature "vews": did you mean "views"/,
    ],
    [
      'segments',
      { segments: [segment('a', { 'features.views.camp': { $gt: 'many' } })], features: [feature('views')] },
      /^segments\[0\]\.where.*features\.views\.camp: is a number, which "many" never is$/,
    ],
    [
      'segments',
      { segments: [segment('a', { $or: [{ 'features.recency': { $in: ['5', '6'] } }] })] },
      /features\.recency: is a number, which "5" never is: write 5$/,
    ],
    ['segments', { segments: [segment('a', { 'features.recency': { $eq: '5' } })] }, /never is: write 5$/],
    ['segments', { segments: [segment('a', { 'features.recency': 'five' })] }, /is a number, which "five" never is$/],
    ['segments', { segments: [segment('a', { segments: { $in: ['b'] } })] }, /^segments\[0\]\.where.*no segment "b"/],
    [
      'segments',
      { segments: [segment('a', { signals: { $in: ['lft'] } })], patterns: [pattern('left')] },
      /^segments\[0\]\.where.*no signal "lft": did you mean "left"/,
    ],
    [
      'segments',
      { segments: [segment('a', { segments: { $in: ['b'] } }), segment('b', { segments: { $in: ['a'] } })] },
      /^segments\[\d\]: depends on itself/,
    ],
    [
      'segments',
      { segments: [segment('a', { 'features.recency': 1 })], features: [{ name: 'recency', off: true }] },
      /no feature "recency"/,
    ],
    [
      'segments',
      { segments: [segment('a', { signals: { $in: ['rage'] } })], patterns: [{ name: 'rage', off: true }] },
      /no signal "rage"/,
    ],
    [
      'features',
      { features: [{ name: 'recncy', off: true }] },
      /^features\[0\]\.name: there is no built-in feature "recncy": did you mean "recency"\?$/,
    ],
    [
      'patterns',
      { patterns: [{ name: 'rag', off: true }] },
      /^patterns\[0\]\.name: there is no built-in pattern "rag": did you mean "rage"\?$/,
    ],
    [
      'features',
      { features: [{ ...feature('a'), entity: 'session', window: '5m' }] },
      /^features\[0\]\.window: a feature of the session looks at all of it/,
    ],
    [
      'features',
      { features: [{ ...feature('a'), entity: 'session', halfLife: '5m' }] },
      /^features\[0\]\.halfLife: a feature of the session/,
    ],
  ] as [DefinitionKind, Partial<Definitions>, RegExp][])(
    'of %s with a fault, %j, is rejected with its path',
    (kind, definitions, line) => {
      expect(faultsOf(kind, definitions)).toEqual([expect.stringMatching(line)])
    },
  )

  it.each([
    [
      'features',
      [
        { ...feature('a', { 'propertis.price': 1 }), aggregate: 'cuont' },
        feature('a', { 'properties.price': { $gtt: 1 } }),
        'none',
      ],
      [/^features\[0\]\.source\.where.*properties\.price/, /^features\[1\]\.source\.where.*\$gt\b/],
    ],
    [
      'patterns',
      [
        { name: 'a b', sequence: [{ event: 'A' }, { not: [{ evnt: 'B', where: { 'propertis.x': 1 } }] }] },
        { name: 'p', event: 'A', where: { 'propertis.y': 1 } },
      ],
      [/^patterns\[0\]\.sequence\[1\]\.not\[0\]\.where.*properties\.x/, /^patterns\[1\]\.where.*properties\.y/],
    ],
    [
      'segments',
      [
        segment('b', { 'features.recncy': 1 }),
        { name: 'b', where: { segments: { $in: ['b', 'entry-9'] } }, leaveWhere: 5 },
        { name: 'd', wher: {} },
      ],
      [
        /^segments\[0\]\.where.*no feature "recncy": did you mean "recency"/,
        /^segments\[1\]\.where.*no segment "entry-9"/,
      ],
    ],
  ] as [DefinitionKind, unknown[], RegExp[]][])('of %s tells the conditions of a malformed set', (kind, raw, lines) => {
    const repaired = repairDefinitions(kind, raw)
    expect(repaired).toHaveLength(raw.length)
    expect(checkDefinitionForm(kind, repaired)).toMatchObject({ ok: true })
    expect(faultsOf(kind, { [kind]: repaired })).toEqual(lines.map(line => expect.stringMatching(line)))
  })

  it('may hold fifty regular expressions', () => {
    const many = (count: number) =>
      Array.from({ length: count }, (_, n) => segment(`s${n}`, { 'traits.a': { [n % 2 ? '$regex' : '$regexi']: 'a' } }))
    expect(faultsOf('segments', { segments: many(50) })).toEqual([])
    expect(faultsOf('segments', { segments: many(51) })).toEqual([
      'segments: has 51 regular expressions, 50 are allowed in a set',
    ])
  })

  it('with thousands of unknown names is not read to its end', () => {
    const unknown = (n: number) => Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`features.x${n}-${i}`, 1]))
    const segments = Array.from({ length: 60 }, (_, n) => segment(`s${n}`, unknown(n)))
    expect(faultsOf('segments', { segments, features: [feature('views')] })).toHaveLength(101)
  })
})

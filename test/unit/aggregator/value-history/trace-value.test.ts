import { BUILT_IN_FEATURES, compileFeatures, featureAlone } from '@slotstream/core'
import type { FeatureDefinition, IdentityChange, ValueChange } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { changedParts } from '#aggregator/value-history/changed-parts.js'
import { type PlacedRow, traceValue } from '#aggregator/value-history/trace-value.js'

const NOON = Date.UTC(2026, 10, 1, 12)
const HOUR = 3_600_000

const DECLARED: FeatureDefinition[] = [
  { name: 'seen', source: { event: 'Product Viewed' }, by: 'properties.category', aggregate: 'count' },
  { name: 'seen_1h', source: { event: 'Product Viewed' }, aggregate: 'count', window: '1h' },
  { name: 'plan', source: { event: 'identify' }, value: 'traits.plan', aggregate: 'last' },
]
const features = compileFeatures(BUILT_IN_FEATURES, DECLARED, () => () => true, 1)

let rows = 0

function row(event: string, hours: number, more: Partial<PlacedRow> = {}): PlacedRow {
  const timestamp = new Date(NOON + hours * HOUR).toISOString()
  const message_id = `m${++rows}`
  const isTrack = event !== 'identify'
  return {
    site_id: 'shop',
    message_id,
    type: isTrack ? 'track' : 'identify',
    event: isTrack ? event : '',
    anonymous_id: 'laptop',
    user_id: '',
    session_id: '',
    timestamp,
    received_at: timestamp,
    properties: { category: 'camp' },
    traits: {},
    position: rows,
    ...more,
  }
}

function changesOf(feature: string, added: PlacedRow[], userId = '', decided: IdentityChange[] = []): ValueChange[] {
  const trace = traceValue({
    siteId: 'shop',
    userId,
    feature,
    features: featureAlone(features, feature),
    decided,
    anonymousDays: 30,
  })
  return added.flatMap(each => trace.add(each) ?? [])
}

describe('the changes of a value', () => {
  it('name the message, and of values by key the keys that it changed', () => {
    const [first, other, home] = [
      row('Product Viewed', 0),
      row('Cart Viewed', 1),
      row('Product Viewed', 2, { properties: { category: 'home' } }),
    ]
    const changes = changesOf('seen', [first!, other!, home!, row('Product Viewed', 3)])
    expect(changes.map(({ from, to }) => [from, to])).toEqual([
      [{}, { camp: 1 }],
      [{}, { home: 1 }],
      [{ camp: 1 }, { camp: 2 }],
    ])
    expect(changes[1]).toEqual({
      at: home!.timestamp,
      messageId: home!.message_id,
      type: 'track',
      event: 'Product Viewed',
      anonymousId: 'laptop',
      userId: '',
      position: home!.position,
      from: {},
      to: { home: 1 },
    })
  })

  it('are those of messages, and not of windows that pass', () => {
    const changes = changesOf(
      'seen_1h',
      [0, 0.1, 5, 5.1].map(hours => row('Product Viewed', hours)),
    )
    expect(changes.map(({ from, to }) => [from, to])).toEqual([
      [0, 1],
      [1, 2],
      [0, 1],
      [1, 2],
    ])
    // Too late for the window: nothing changes at present.
    expect(changesOf('seen_1h', [row('Product Viewed', 5), row('Product Viewed', 1)])).toHaveLength(1)
  })

  it('count what comes twice once', () => {
    const once = row('Product Viewed', 0)
    expect(changesOf('seen', [once, { ...once, position: once.position + 1 }])).toHaveLength(1)
  })

  it('are those of all browsers of a person, and of none that was taken out', () => {
    const named = (plan: string, hours: number, browser: string) =>
      row('identify', hours, { anonymous_id: browser, user_id: 'ann', traits: { plan } })
    const added = [named('free', 0, 'laptop'), named('pro', 1, 'phone'), named('pro', 2, 'laptop')]
    expect(changesOf('plan', added, 'ann').map(({ from, to, anonymousId }) => [from, to, anonymousId])).toEqual([
      [null, 'free', 'laptop'],
      ['free', 'pro', 'phone'],
    ])
    const decision = { state: 'undone', at: NOON, cause: 'a test' } as const
    const undone: IdentityChange[] = [{ anonymousId: 'laptop', userId: 'ann', decision }]
    expect(changesOf('plan', added, 'ann', undone).map(({ to }) => to)).toEqual(['pro'])
    expect(
      changesOf(
        'plan',
        added.filter(({ anonymous_id }) => anonymous_id === 'laptop'),
        '',
        undone,
      ),
    ).toHaveLength(2)
  })
})

describe('an alias', () => {
  it('changes what its user has by what the browser did that it names', () => {
    const alias = row('identify', 1, { type: 'alias', anonymous_id: '', user_id: 'newu', previous_id: 'laptop' })
    const changes = changesOf('seen', [row('Product Viewed', 0), alias], 'newu')
    expect(changes.map(({ type, from, to }) => [type, from, to])).toEqual([['alias', {}, { camp: 1 }]])
    expect(changesOf('seen', [row('Product Viewed', 0), { ...alias, sender: 'unsigned' }], 'newu')).toEqual([])
  })
})

describe('what changed of a value', () => {
  it('is nothing where both are equal, and the whole where one is no object', () => {
    expect(changedParts({ a: 1, b: [1] }, { a: 1, b: [1] })).toBeUndefined()
    expect(changedParts(null, 3)).toEqual({ from: null, to: 3 })
    expect(changedParts(['a'], ['a', 'b'])).toEqual({ from: ['a'], to: ['a', 'b'] })
    expect(changedParts({ a: 1, b: 2 }, { b: 3 })).toEqual({ from: { a: 1, b: 2 }, to: { b: 3 } })
    expect(changedParts({ a: 1, b: 2 }, { b: 2, a: 1 })).toBeUndefined()
  })
})

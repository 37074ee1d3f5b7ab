import { type PatternDefinition, type SegmentDefinition, SIGNALS } from '@slotstream/protocol'
import { expect, it } from 'vitest'
import { BUILT_IN_FEATURES } from '#core/features/built-in.js'
import { DEFAULT_FEATURES } from '#core/features/default-features.js'
import { explainFeature } from '#core/features/explain.js'
import { explainSegment } from '#core/segments/explain.js'
import { explainDetector } from '#core/signals/signal-explanation.js'

it('a window by keys is explained: its tiles, its keys, and the step of its end', () => {
  const source = { event: 'Product Viewed', where: { 'properties.price': { $gt: 10 } } }
  expect(
    explainFeature({ name: 'views', source, by: 'properties.category', aggregate: 'count', window: '1h', keys: 20 }),
  ).toEqual({
    name: 'views',
    version: expect.any(String),
    evaluated: 'request',
    freshness: {
      seconds: 0,
      elsewhereSeconds: 2,
      text: 'counted with its message; on another browser of the person within 2 s; the window’s end moves by steps of 60 s',
    },
    state: {
      cellsAtMost: 61 * 20,
      slots: 61,
      keys: 20,
      bytesOfAll: 192 * 1024,
      text:
        '61 slots of time with up to 20 keys a visitor, each with one or two numbers; beyond 20 keys its value says ' +
        '"approximate"; where all features of a visitor would take more than 192 KB in memory it keeps the keys of the smallest hashes, a half, a quarter …, which its ' +
        'value tells as "narrowed"',
    },
    cost: {
      events: ['Product Viewed'],
      conditionsPerMessage: 1,
      text: 'messages of 1 event are looked at; others cost nothing',
    },
  })
})

it('tells what becomes of a feature where a visitor’s features would take too much', () => {
  const textOf = (fields: object) =>
    explainFeature({ name: 'f', source: { event: 'E' }, aggregate: 'count', ...fields }).state.text
  expect(textOf({ aggregate: 'unique', value: 'properties.a' })).toContain('it keeps the values of the smallest hashes')
  expect(textOf({ window: '24h' })).toContain('it is left out, after all that has keys or lists')
  expect(textOf({ window: 'session' })).toContain('earlier sessions are left out first')
  expect(textOf({ entity: 'content' })).not.toContain('narrowed')
})

it('every built-in feature is explained, as data, with the version that its values have', () => {
  for (const feature of BUILT_IN_FEATURES) {
    const explanation = explainFeature(feature)
    expect(JSON.parse(JSON.stringify(explanation))).toEqual(explanation)
    expect(explanation.version).toBe(DEFAULT_FEATURES.byName.get(feature.name)!.version)
  }
})

it('a segment is explained by what it reads, and by the segments before it', () => {
  const where = { 'features.views.camp': { $gte: 2 }, segments: { $in: ['rich'] }, 'traits.plan': 'pro' }
  expect(explainSegment({ name: 'campers', where })).toMatchObject({
    evaluated: 'request',
    signals: { evaluated: 'stream', seconds: 0, elsewhereSeconds: 2 },
    state: { bytesAtMost: 27 },
    cost: {
      paths: ['features.views.camp', 'segments', 'traits.plan'],
      features: ['views'],
      segments: ['rich'],
      text: '3 paths are read, and 1 segments evaluated before',
    },
  })
})

it('a segment waits for the slowest signal of the segments that it asks for', () => {
  const patterns: PatternDefinition[] = [
    { name: 'left', sequence: [{ event: 'A' }, { not: { event: 'B' }, within: '3s' }] },
    { name: 'twice', event: 'A', count: 2 },
  ]
  const segments: SegmentDefinition[] = [
    { name: 'leavers', where: { signals: { $in: ['left', 'twice'] } } },
    { name: 'others', where: { segments: { $nin: ['leavers', 'others'] } } },
    { name: 'outer', where: { segments: { $in: ['others'] } } },
    { name: 'often', where: { signals: { $in: ['twice', 'interest_shift'] } } },
  ]
  for (const segment of segments.slice(0, 3))
    expect(explainSegment(segment, { segments, patterns })).toMatchObject({
      evaluated: 'stream',
      freshness: { seconds: 3, text: expect.stringContaining('the signal left is found 3 s of absence after') },
      signals: { seconds: 3, elsewhereSeconds: 5 },
    })
  expect(explainSegment(segments[3]!, { segments, patterns })).toMatchObject({
    evaluated: 'request',
    freshness: { seconds: 0 },
  })
})

it.each(SIGNALS)('the detector of %s is explained', signal => {
  expect(explainDetector(signal)).toMatchObject({
    name: signal,
    kind: 'detector',
    evaluated: 'request',
    freshness: { seconds: 0 },
  })
  expect(explainDetector(signal).cost.events.length).toBeGreaterThan(0)
})

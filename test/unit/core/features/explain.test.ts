import { expect, it } from 'vitest'
import { BUILT_IN_FEATURES } from '#core/features/built-in.js'
import { DEFAULT_FEATURES } from '#core/features/default-features.js'
import { explainFeature } from '#core/features/explain.js'
import { explainSegment } from '#core/segments/explain.js'

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
      text: '61 slots of time with up to 20 keys a visitor, each with one or two numbers',
    },
    cost: {
      events: ['Product Viewed'],
      conditionsPerMessage: 1,
      text: 'messages of 1 event are looked at; others cost nothing',
    },
  })
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

import { parseResultsRequest } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'

const METRIC = { event: 'Order Completed', value: 'properties.revenue', windowHours: 24, from: 'secret' }
const EXPERIMENT = {
  id: 'first',
  slot: 'hero',
  arms: [
    { id: 'control', share: 0.5 },
    { id: 'new', share: 0.5 },
  ],
  metrics: ['Slot Clicked', METRIC],
}
const REQUEST = { siteId: 'shop', slotId: 'hero', from: '2026-06-01T00:00:00Z', to: '2026-07-01T00:00:00Z' }

describe('a request for results', () => {
  it.each([{}, { experiment: EXPERIMENT }, { traffic: METRIC }, { traffic: 'Slot Clicked' }])('is read: %j', more => {
    expect(parseResultsRequest({ ...REQUEST, ...more })).toEqual({ ok: true, value: { ...REQUEST, ...more } })
  })

  it.each([
    { siteId: "x'" },
    { slotId: 5 },
    { from: "2026-06-01' OR 1" },
    { to: undefined },
    { experiment: 'first' },
    { experiment: { ...EXPERIMENT, metrics: [] } },
    ...[
      { windowHours: '1) OR (1' },
      { windowHours: 0.5 },
      { value: 'version() || properties.revenue' },
      { value: 'properties.`' },
      { from: 'public' },
      { event: { name: 'x' } },
    ].flatMap(wrong => [
      { experiment: { ...EXPERIMENT, metrics: [{ ...METRIC, ...wrong }] } },
      { experiment: { ...EXPERIMENT, guardrails: [{ ...METRIC, ...wrong }] } },
      { traffic: { ...METRIC, ...wrong } },
    ]),
  ])('is rejected, since it becomes part of SQL: %j', wrong => {
    expect(parseResultsRequest({ ...REQUEST, ...wrong })).toMatchObject({ ok: false })
  })
})

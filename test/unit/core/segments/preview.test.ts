import { describe, expect, it } from 'vitest'
import type { SegmentAttributes } from '#core/segments/attributes.js'
import { compileWhere } from '#core/segments/compile-where.js'
import { createPreview } from '#core/segments/preview.js'

function attributes(camp: number, plan?: string): SegmentAttributes {
  return {
    features: { views: { camp } },
    segments: [],
    signals: [],
    traits: plan === undefined ? {} : { plan },
    context: {},
    now: '2026-11-27T09:00:00.000Z',
    profile: { firstSeen: '', lastSeen: '', sessions: 1, events: 1 },
  }
}

function preview(where: unknown) {
  const condition = compileWhere(where)
  if (!condition.ok) throw new Error(condition.reason)
  return createPreview(condition.value)
}

describe('a preview', () => {
  it('counts who is in, and lists the nearest out with the clauses they miss', () => {
    const segment = preview({ 'features.views.camp': { $gte: 2 }, 'traits.plan': 'pro' })
    segment.add('dora', attributes(0))
    segment.add('carl', attributes(1, 'pro'))
    segment.add('bea', attributes(3))
    segment.add('ann', attributes(2, 'pro'))
    expect(segment.result()).toEqual({
      size: 1,
      in: ['ann'],
      nearest: [
        { id: 'bea', misses: ['traits.plan is missing, wanted "pro"'] },
        { id: 'carl', misses: ['features.views.camp is 1, wanted at least 2'] },
        { id: 'dora', misses: ['features.views.camp is 0, wanted at least 2', 'traits.plan is missing, wanted "pro"'] },
      ],
    })
  })

  it('lists ten at most', () => {
    const segment = preview({ 'features.views.camp': { $gte: 2 } })
    for (let i = 40; i-- > 0; ) segment.add(`p${String(i).padStart(2, '0')}`, attributes(i % 2 === 0 ? 0 : 5))
    const { size, in: members, nearest } = segment.result()
    expect(size).toBe(20)
    expect(members).toEqual(['p01', 'p03', 'p05', 'p07', 'p09', 'p11', 'p13', 'p15', 'p17', 'p19'])
    expect(nearest.map(({ id }) => id)).toEqual(['p00', 'p02', 'p04', 'p06', 'p08', 'p10', 'p12', 'p14', 'p16', 'p18'])
  })
})

import type { PolicySpec } from '@slotstream/protocol'
import { describe, expect, it } from 'vitest'
import { decideAgain } from '#core/replay/decide-again.js'
import { recordOf, SITE, type SomeRequest, slotOf } from './some-decision.js'

const CONTENTS = [
  { id: 'a', category: 'tents', weight: 3 },
  { id: 'b', category: 'bags' },
  { id: 'c', category: 'tents', where: { 'context.country': 'DE' } },
  { id: 'd', endsAt: '2020-01-01T00:00:00Z' },
  {
    id: 'e',
    caps: [
      { count: 2, per: '24h' as const },
      { count: 9, per: '7d' as const },
    ],
  },
  { id: 'f', stopAfter: 'Order Completed' },
  { id: 'g', stock: 0 },
  { id: 'h', where: { 'traits.plan': 'pro' } },
]
const CAMPAIGNS = [
  { id: 'sale', mode: 'pin' as const, where: { 'context.country': 'FR' }, contentIds: ['b'] },
  { id: 'news', mode: 'boost' as const, where: { 'traits.plan': 'pro' }, contentIds: ['a', 'h'] },
]
const SHOWN = ['2026-06-01T11:00:00Z', '2026-06-01T11:30:00Z'].map((time, n) => ({
  decisionId: `before${n}`,
  slotId: 'hero',
  at: Date.parse(time),
  sessionId: 's',
  items: [{ contentId: 'e', position: 1, viewedAt: Date.parse(time) }],
}))
const REQUESTS: SomeRequest[] = [
  {},
  { context: { country: 'DE' } },
  { context: { country: 'FR' }, count: 3 },
  { profile: { traits: { plan: 'pro' }, affinities: { tents: 2, 'a.b': 1 } }, count: 2 },
  { context: { country: 'FR' }, profile: { traits: { plan: 'pro' } }, count: 20 },
  { decisions: SHOWN as never, stopped: ['f'], shownBefore: ['b'] },
]
const PLAIN: PolicySpec[] = [
  { type: 'random' },
  { type: 'weighted' },
  { type: 'fixed', contentIds: ['c', 'a', 'x', 'b'] },
  { type: 'affinity', exploration: 0.1 },
  {
    type: 'ensemble',
    policies: [
      { share: 1, policy: { type: 'random' } },
      { share: 2, policy: { type: 'weighted' } },
    ],
  },
]
const OTHERS: (PolicySpec | undefined)[] = [
  undefined,
  { type: 'contextual' },
  { type: 'thompson' },
  { type: 'popular' },
  { type: 'trending', bySegment: true },
  { type: 'ease' },
  { type: 'affinity', exploration: 0.1, popularity: true },
  {
    type: 'ensemble',
    policies: [
      { share: 1, policy: { type: 'random' } },
      { share: 2, policy: { type: 'contextual' } },
    ],
  },
]

describe('a decision that is done again', () => {
  const cases = [...PLAIN, ...OTHERS].flatMap(policy =>
    [0, 0.5].flatMap(holdout => REQUESTS.map((request, n) => ({ policy, holdout, request, n }))),
  )

  it.each(cases)(
    'is the same byte for byte: $policy.type, holdout $holdout, request $n',
    ({ policy, holdout, request }) => {
      const slot = slotOf({ ...(policy && { policy }), holdout, campaigns: CAMPAIGNS } as never, CONTENTS as never)
      for (let n = 0; n < 20; n++) {
        const record = recordOf(slot, { ...request, visitorId: `v${n}`, seed: `seed${n}` })
        const stored = JSON.parse(JSON.stringify(record)) as typeof record
        const way = PLAIN.includes(policy!) ? 'decided' : 'drawn'
        expect(decideAgain(SITE, stored, slot)).toEqual({ way })
        expect(decideAgain(SITE, stored, undefined)).toEqual({ way: 'drawn' })
      }
    },
  )

  it.each([...PLAIN, ...OTHERS])('is the same where the site holds the visitor out, not the slot: %j', policy => {
    const slot = slotOf({ ...(policy && { policy }), campaigns: CAMPAIGNS } as never, CONTENTS as never)
    for (const request of REQUESTS) {
      const record = recordOf(slot, { ...request, heldOut: true })
      expect(record).toMatchObject({ outcome: 'holdout', holdout: true, contentIds: [] })
      expect(decideAgain(SITE, record, slot)).toEqual({ way: PLAIN.includes(policy!) ? 'decided' : 'drawn' })
    }
  })

  it('is another one where the record does not say that the holdout of the slot has the visitor', () => {
    const slot = slotOf({ policy: { type: 'random' }, holdout: 1 }, CONTENTS as never)
    const record = recordOf(slot, { heldOut: false })
    expect(decideAgain(SITE, record, slot)).toEqual({ way: 'decided', trouble: 'different' })
  })

  it('is one where nothing could be shown, or the profile was too old', () => {
    const empty = slotOf({ policy: { type: 'random' } }, [CONTENTS[3]!] as never)
    expect(decideAgain(SITE, recordOf(empty), empty)).toEqual({ way: 'decided' })
    const stale = slotOf({ policy: { type: 'affinity', exploration: 0 }, maxAge: '1s' }, CONTENTS as never)
    const record = { ...recordOf(stale), outcome: 'stale' as const }
    const { draw } = record
    const undrawn = { ...draw!, stages: [{ ...draw!.stages[0]!, drawn: [] }] }
    const before = {
      ...record,
      contentIds: [],
      propensities: [],
      draw: undrawn,
      features: { ages: { affinities: 2_000 } },
    }
    expect(decideAgain(SITE, before, stale)).toEqual({ way: 'decided' })
  })

  it('is another one where something of the record was changed', () => {
    const slot = slotOf({ policy: { type: 'random' }, count: 2 }, CONTENTS as never)
    const record = recordOf(slot, { count: 2 })
    const changed = [
      { contentIds: [...record.contentIds].reverse() },
      { propensities: record.propensities.map(p => p / 2) },
      { candidates: record.candidates.map(each => ({ ...each, score: 1 })) },
      { policyVersion: 'other' },
    ]
    for (const change of changed)
      expect(decideAgain(SITE, { ...record, ...change }, slot)).toMatchObject({ trouble: 'different' })
    const seeds = Array.from({ length: 20 }, (_, n) => ({ ...record, seed: `other${n}` }))
    expect(seeds.some(other => decideAgain(SITE, other, slot).trouble === 'different')).toBe(true)
  })

  it('is another one with another catalog than that by which it was decided', () => {
    const slot = slotOf({ policy: { type: 'thompson' } }, CONTENTS as never)
    const now = slotOf({ policy: { type: 'thompson' } }, CONTENTS.map(each => ({ ...each, stock: 0 })) as never)
    expect(decideAgain(SITE, recordOf(slot), now)).toEqual({ way: 'drawn', trouble: 'other_content' })
  })
})

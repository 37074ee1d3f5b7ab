import { expect, it } from 'vitest'
// @ts-expect-error plain JavaScript of the demo
import { reasonLines } from '../../../../examples/demo/reasons.js'

const decision = { slotId: 'hero', outcome: 'served', items: [{ contentId: 'camp' }] }
const reason = { policy: 'thompson', policyVersion: 'v1', propensities: [0.9], affinities: {}, explored: false }

it('a decision says which policy chose, what else there was, and what was left out and why', () => {
  const excluded = [
    { contentId: 'a', reason: 'capped', detail: '3 of 3 in 24h' },
    ...['b', 'c', 'd', 'e', 'f'].map(contentId => ({ contentId, reason: 'ended' })),
  ]
  const candidates = [
    { contentId: 'camp', score: 1, probability: 0.9 },
    { contentId: 'trail', score: 0.5, probability: 0.1 },
  ]
  expect(
    reasonLines({ ...decision, reason: { ...reason, excluded, candidates, campaigns: ['spring'], learnedViews: 7 } }),
  ).toEqual([
    'policy thompson · version v1 · learned from 7 views',
    'campaign spring',
    'others: trail 10 %',
    'left out: a (capped: 3 of 3 in 24h), b (ended), c (ended), d (ended) and 2 more',
  ])
})

it('a decision without reasons says only what it is', () => {
  expect(reasonLines(decision)).toEqual([])
  expect(reasonLines({ ...decision, reason: { ...reason, excluded: [] } })).toEqual(['policy thompson · version v1'])
  expect(reasonLines({ ...decision, cachedAt: 1 })).toEqual([expect.stringContaining('last decision')])
  expect(reasonLines({ ...decision, preview: true })).toEqual([expect.stringContaining('preview')])
})

import { type DecideRequest, unansweredDecisions, undecided } from '@slotstream/protocol'
import { expect, it } from 'vitest'

const request: DecideRequest = {
  siteId: 'shop',
  visitorId: 'v',
  anonymousId: 'a',
  slots: [{ id: 'hero' }, { id: 'list' }],
  context: { sessionId: 's', pageViewId: 7 as unknown as string },
  after: 0,
  deadlineMs: 100,
  explain: false,
}

it('of a request nothing decides has a decision without items and a record for each slot', () => {
  let id = 0
  const { decisions, records } = unansweredDecisions(request, 'timeout', Date.UTC(2026, 0, 2), () => `d${++id}`)
  expect(decisions).toEqual([
    { slotId: 'hero', decisionId: 'd1', outcome: 'timeout', items: [] },
    { slotId: 'list', decisionId: 'd2', outcome: 'timeout', items: [] },
  ])
  expect(records[0]).toEqual({
    decisionId: 'd1',
    timestamp: '2026-01-02T00:00:00.000Z',
    slotId: 'hero',
    anonymousId: 'a',
    sessionId: 's',
    position: 1,
    policy: 'none',
    policyVersion: '0',
    outcome: 'timeout',
    holdout: false,
    contentIds: [],
    propensities: [],
    candidates: [],
    excluded: [],
    features: {},
    seed: '',
  })
})

it('has one shape, whichever process makes it', () => {
  const mine = { slotId: 'hero', decisionId: 'd1', outcome: 'timeout' as const }
  const { record } = undecided({ ...mine, holdout: true }, request, 0)
  const [other] = unansweredDecisions(request, 'timeout', 0, () => 'd1').records
  expect(record).toEqual({ ...other, holdout: true })
})

import { type DecideRequest, type DecisionRecord, type SlotDecision, uuidv7 } from '@slotstream/protocol'

/**
 * Decisions that nobody made: each slot gets one without items, so that the page's own content stays, and a record
 * of why.
 *
 * @param now milliseconds since the epoch
 */
export function unansweredDecisions(
  request: DecideRequest,
  outcome: 'timeout' | 'unavailable',
  now: number,
  newId: () => string = uuidv7,
): { decisions: SlotDecision[]; records: DecisionRecord[] } {
  const { anonymousId, userId, slots, context } = request
  const { sessionId, pageViewId } = context ?? {}
  const decisions = slots.map(({ id }): SlotDecision => ({ slotId: id, decisionId: newId(), outcome, items: [] }))
  const records = decisions.map(
    ({ slotId, decisionId }): DecisionRecord => ({
      decisionId,
      timestamp: new Date(now).toISOString(),
      slotId,
      anonymousId,
      ...(userId ? { userId } : {}),
      ...(typeof sessionId === 'string' ? { sessionId } : {}),
      ...(typeof pageViewId === 'string' ? { pageViewId } : {}),
      policy: 'none',
      policyVersion: '0',
      outcome,
      holdout: false,
      contentIds: [],
      propensities: [],
      position: 1,
      candidates: [],
      excluded: [],
      features: {},
      seed: '',
    }),
  )
  return { decisions, records }
}

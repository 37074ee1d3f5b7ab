import { uuidv7 } from '../../wire/ids/uuid.js'
import type { Outcome, SlotDecision } from '../../wire/slots.js'
import type { DecisionRecord } from '../envelopes/stored.js'
import type { DecideRequest } from './decide.js'

/** Which slot is left to the page, why, and whether its visitor is in the holdout, where that is known. */
export interface Undecided {
  slotId: string
  decisionId: string
  outcome: Outcome
  holdout?: boolean
}

/**
 * Creates the decision without items, with which the page keeps its own content, and the record of why.
 *
 * @param now milliseconds since the epoch
 */
export function undecided(
  { slotId, decisionId, outcome, holdout = false }: Undecided,
  request: DecideRequest,
  now: number,
): { decision: SlotDecision; record: DecisionRecord } {
  const record: DecisionRecord = {
    ...recordHead(slotId, decisionId, request, now),
    policy: 'none',
    policyVersion: '0',
    outcome,
    holdout,
    contentIds: [],
    propensities: [],
    candidates: [],
    excluded: [],
    features: {},
    seed: '',
  }
  return { decision: { slotId, decisionId, outcome, items: [] }, record }
}

/** Creates the fields of every record of a decision: time, slot, visitor and context. */
export function recordHead(
  slotId: string,
  decisionId: string,
  { anonymousId, userId, context }: DecideRequest,
  now: number,
): Pick<
  DecisionRecord,
  'decisionId' | 'timestamp' | 'slotId' | 'anonymousId' | 'userId' | 'sessionId' | 'pageViewId' | 'position'
> {
  const { sessionId, pageViewId } = context ?? {}
  const head: Partial<DecisionRecord> = { decisionId, timestamp: new Date(now).toISOString(), slotId, anonymousId }
  // One by one: what is spread into an object takes many times as long.
  if (userId) head.userId = userId
  if (typeof sessionId === 'string') head.sessionId = sessionId
  if (typeof pageViewId === 'string') head.pageViewId = pageViewId
  head.position = 1
  return head as DecisionRecord
}

/** Creates the answer to a request that no process decides: every slot is left to the page. */
export function unansweredDecisions(
  request: DecideRequest,
  outcome: 'timeout' | 'unavailable',
  now: number,
  newId: (now: number) => string = uuidv7,
): { decisions: SlotDecision[]; records: DecisionRecord[] } {
  const all = request.slots.map(({ id }) => undecided({ slotId: id, decisionId: newId(now), outcome }, request, now))
  return { decisions: all.map(({ decision }) => decision), records: all.map(({ record }) => record) }
}

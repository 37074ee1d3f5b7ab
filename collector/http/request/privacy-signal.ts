import type { IncomingMessage } from 'node:http'
import type { BatchAnswer, PrivacySignal, Site, SlotDecision, SlotsRequest } from '@slotstream/protocol'
import { parseBatch } from '../../intake/accept/parse-batch.js'

/**
 * Tells which signal of a request its site honours, if any: `Sec-GPC: 1` (https://w3c.github.io/gpc/) or `DNT: 1`.
 * Scripts can't set the first; browsers set both.
 */
export function honouredSignal({ headers }: IncomingMessage, { privacySignals }: Site): PrivacySignal | undefined {
  if (privacySignals !== 'honour') return undefined
  if (headers['sec-gpc'] === '1') return 'gpc'
  return headers.dnt === '1' ? 'dnt' : undefined
}

/**
 * Acknowledges a batch of which nothing is stored, so that its client doesn't send it again. Not looked into: what
 * would be rejected would be stored, too.
 *
 * @throws Failure when it is no batch
 */
export function droppedBatch(body: unknown, signal: PrivacySignal): BatchAnswer {
  const { length } = parseBatch(body).batch
  return { success: true, accepted: 0, rejected: [], ...(length > 0 ? { dropped: { [signal]: length } } : {}) }
}

/** Answers a request for slots without deciding: the page's own content stays, and nothing is recorded. */
export function undecided({ slots }: SlotsRequest): SlotDecision[] {
  return slots.map(({ id }) => ({ slotId: id, decisionId: '', outcome: 'unavailable', items: [] }))
}

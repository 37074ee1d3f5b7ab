import { correctTime, type DecisionRecord, namedIn, parseTime, type ReceiptTimes } from '@slotstream/protocol'
import type { Tombstones } from '@slotstream/runtime'

/** Tells whether a message, as its client wrote it, is from before the deletion of a person that it names. */
export type ForgottenMessage = (raw: unknown, arrival: ReceiptTimes) => boolean

/** Reason that the client gets for such a message. */
export const DELETED_REASON = 'the person that it names was deleted after it happened: it is not kept'

/** Creates the check for one site; undefined while no person was deleted, so that it costs nothing. */
export function forgottenMessage(tombstones: Tombstones, siteId: string): ForgottenMessage | undefined {
  if (tombstones.size === 0) return undefined
  return (raw, arrival) => tombstones.isForgotten(siteId, namedIn(raw), timeOf(raw, arrival))
}

/** Creates the same check for decisions of another system's log. */
export function forgottenDecision(tombstones: Tombstones, siteId: string): (decision: DecisionRecord) => boolean {
  return decision => tombstones.isForgotten(siteId, decision, Date.parse(decision.timestamp))
}

/** Returns the time at which a message happened by the server's clock; without a usable time, when it was received. */
function timeOf(raw: unknown, { received, sent: batchSent }: ReceiptTimes): number {
  const { timestamp, sentAt } = raw as { timestamp?: unknown; sentAt?: unknown }
  const client = typeof timestamp === 'string' ? parseTime(timestamp) : undefined
  if (client === undefined) return received
  const sent = typeof sentAt === 'string' ? parseTime(sentAt) : batchSent
  const corrected = correctTime(client, sent, received)
  return corrected.ok ? corrected.timestamp : client
}

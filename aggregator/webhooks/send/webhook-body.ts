import type { SignalRecord } from '@slotstream/protocol'

/** Returns the body of the request that tells a webhook of a signal. It is the same with each attempt. */
export function webhookBody(siteId: string, record: SignalRecord): string {
  const { signal, timestamp, signalId, anonymousId, userId, sessionId, details } = record
  const personId = userId || anonymousId
  const data = { signalId, siteId, anonymousId, userId, personId, sessionId, details }
  return JSON.stringify({ type: signal, timestamp, data })
}

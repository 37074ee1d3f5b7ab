import type { Check } from '../../wire/checks/check.js'
import { isObject } from '../../wire/checks/is-object.js'
import { isAbsentOr, isCount, isId, isIdOrEmpty, isText, misfit } from '../../wire/checks/parse-stored.js'
import { isTime, originTrouble } from '../envelopes/parse-event-envelope.js'

/**
 * Result of an attempt to deliver a signal: `delivered`, `failed` and tried again later, or `dead`, given up and kept
 * as a dead letter.
 */
export const DELIVERY_OUTCOMES = ['delivered', 'failed', 'dead'] as const

export type DeliveryOutcome = (typeof DELIVERY_OUTCOMES)[number]

/** One attempt to deliver a signal to a webhook. Times are ISO 8601 in UTC. */
export interface DeliveryRecord {
  attemptId: string
  webhookId: string
  /** The header `webhook-id`: the same with each attempt at the same signal and webhook. */
  deliveryId: string
  signalId: string
  signal: string
  /** That of the signal. */
  timestamp: string
  anonymousId: string
  userId: string
  /** When the attempt began. */
  attemptedAt: string
  /** From 1. */
  attempt: number
  outcome: DeliveryOutcome
  /** HTTP status of the answer; 0: there was none. */
  status: number
  /** Reason of a failure, '' for none. It repeats nothing of the answer. */
  error: string
  durationMs: number
  /** When it is tried again. Absent: it is not. */
  nextAt?: string
}

/** One stream message of `deliveries.<partition>`. */
export interface DeliveryEnvelope {
  siteId: string
  visitorId: string
  /** When the record was made. */
  receivedAt: string
  deliveries: DeliveryRecord[]
}

/** Parses a message of `deliveries.<partition>`. */
export function parseDeliveryEnvelope(raw: unknown): Check<DeliveryEnvelope> {
  if (!isObject(raw)) return misfit('the message is not a JSON object')
  const trouble = originTrouble(raw)
  if (trouble) return misfit(trouble)
  if (!Array.isArray(raw.deliveries)) return misfit('deliveries is not a list')
  for (const [index, entry] of raw.deliveries.entries()) {
    const wrong = isObject(entry) ? deliveryTrouble(entry) : 'is not an object'
    if (wrong) return misfit(`deliveries[${index}] ${wrong}`)
  }
  return { ok: true, value: raw as unknown as DeliveryEnvelope }
}

function deliveryTrouble(entry: Record<string, unknown>): string | undefined {
  for (const field of ['attemptId', 'webhookId', 'deliveryId', 'signalId', 'signal'] as const)
    if (!isId(entry[field])) return `has a ${field} that is not text of 1 to 256 characters`
  for (const field of ['anonymousId', 'userId'] as const)
    if (!isIdOrEmpty(entry[field])) return `has a ${field} that is not text`
  for (const field of ['timestamp', 'attemptedAt'] as const) if (!isTime(entry[field])) return `has no ${field}`
  if (!DELIVERY_OUTCOMES.includes(entry.outcome as DeliveryOutcome)) return 'has an unknown outcome'
  for (const field of ['attempt', 'status', 'durationMs'] as const)
    if (!isCount(entry[field])) return `has a ${field} that is not a whole number from 0`
  if (!isText(entry.error)) return 'has an error that is not text'
  return isAbsentOr(entry.nextAt, isTime) ? undefined : 'has a nextAt that is no time'
}

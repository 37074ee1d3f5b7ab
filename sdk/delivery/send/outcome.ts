import type { BatchAnswer } from '@slotstream/protocol'
import type { Dropped } from '../database/event-store.js'
import { LONGEST_WAIT_MS } from '../outbox.js'
import { parse } from '../parse.js'

/** An HTTP answer as far as it matters, or undefined when none came. */
export type Reply = { status: number; retryAfter: string | null; text: string } | undefined

/** Outcome of an attempt on a batch. */
export type Outcome =
  | { kind: 'acknowledged'; answer: BatchAnswer; dropped: Dropped }
  | { kind: 'dropped'; reason: string }
  /** `wait`: as the server asked, in milliseconds. */
  | { kind: 'retry'; reason: string; wait: number }

/** Answers that come again however often the same batch is sent. */
const FINAL = [400, 401, 403, 410, 413, 422]

/**
 * Reads the answer to a batch. After an answer that isn't understood it is tried again: a hotel's login page answers
 * 200, too.
 */
export function outcomeOf(reply: Reply, now: number): Outcome {
  if (!reply) return { kind: 'retry', reason: 'network', wait: 0 }
  if (FINAL.includes(reply.status)) return { kind: 'dropped', reason: `http_${reply.status}` }
  if (reply.status >= 200 && reply.status < 300) return acknowledgement(parse(reply.text))
  return { kind: 'retry', reason: `http_${reply.status}`, wait: waitOf(reply.retryAfter, now) }
}

/** Reads the collector's answer to one batch. */
export function acknowledgement(answer: unknown): Outcome {
  const acknowledged = answer as BatchAnswer | undefined
  if (acknowledged?.success !== true || !Array.isArray(acknowledged.rejected))
    return { kind: 'retry', reason: 'answer_not_understood', wait: 0 }
  const dropped: Dropped = {}
  for (const { code } of acknowledged.rejected) {
    const reason = `rejected_${code}`
    dropped[reason] = (dropped[reason] ?? 0) + 1
  }
  return { kind: 'acknowledged', answer: acknowledged, dropped }
}

/** Reads `Retry-After`: seconds or a date (RFC 9110 §10.2.3). */
function waitOf(retryAfter: string | null, now: number): number {
  // Without the header it is 0.
  const seconds = Number(retryAfter)
  const wait = Number.isNaN(seconds) ? Date.parse(retryAfter!) - now : seconds * 1_000
  return Math.min(Math.max(wait || 0, 0), LONGEST_WAIT_MS)
}

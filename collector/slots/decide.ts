import { errors, TimeoutError } from '@nats-io/transport-node'
import {
  type DecideReply,
  type DecideRequest,
  decideSubject,
  partitionOf,
  type SlotDecision,
  unansweredDecisions,
} from '@slotstream/protocol'
import { type Nats, type Publisher, pause, within } from '@slotstream/runtime'
import { decisionPublications } from '../intake/publications.js'
import { publishAll } from '../intake/publish-all.js'
import type { CollectorMetrics } from '../metrics.js'

/** How long a decision may take, in milliseconds. Pages give up sooner by themselves. */
const TIMEOUT_MS = 1_000
/** What the owner of the partition gets less, so that its own "timeout" still arrives. */
const MARGIN_MS = 100
/** How long to look for an owner while a partition moves from one aggregator to another, and how often, in milliseconds. */
const HANDOVER_MS = 300
const LOOK_MS = 20
/** How long an answer waits for the record of decisions that nobody made, in milliseconds. */
const RECORD_WAIT_MS = 100

export type Decide = (request: Omit<DecideRequest, 'deadlineMs'>) => Promise<SlotDecision[]>

/**
 * Makes the function that asks the owner of the visitor's partition. It always resolves: without an owner, or without
 * an answer in time, to recorded decisions for the page's own content.
 */
export function createDecide(
  nats: Nats,
  publisher: Publisher,
  partitions: number,
  metrics: CollectorMetrics,
  timeoutMs = TIMEOUT_MS,
): Decide {
  return async question => {
    const request: DecideRequest = { ...question, deadlineMs: Math.max(timeoutMs - MARGIN_MS, timeoutMs / 2) }
    const answer = await ask(request)
    if (Array.isArray(answer)) return answer
    const { siteId, visitorId } = request
    const now = Date.now()
    const { decisions, records } = unansweredDecisions(request, answer, now)
    const envelope = { siteId, visitorId, receivedAt: new Date(now).toISOString(), decisions: records }
    // Failing is counted where it happens; the page gets its answer all the same.
    const recorded = publishAll(publisher, decisionPublications(envelope, partitions), metrics).catch(() => {})
    await within(RECORD_WAIT_MS, recorded)
    return decisions
  }

  async function ask(request: DecideRequest): Promise<SlotDecision[] | 'timeout' | 'unavailable'> {
    // The client would keep the request until there is a connection, and then ask for a page that is long gone.
    if (!nats.connected) return 'unavailable'
    const subject = decideSubject(partitionOf(request.siteId, request.visitorId, partitions))
    const began = performance.now()
    for (;;) {
      const taken = performance.now() - began
      try {
        const body = JSON.stringify({ ...request, deadlineMs: Math.max(0, request.deadlineMs - taken) })
        const reply = await nats.connection.request(subject, body, { timeout: timeoutMs - taken })
        const { decisions } = reply.json<DecideReply>()
        return Array.isArray(decisions) ? decisions : 'unavailable'
      } catch (error) {
        if (error instanceof TimeoutError) return 'timeout'
        const nobody = error instanceof errors.RequestError && error.isNoResponders()
        if (!nobody || taken > HANDOVER_MS || taken + 2 * LOOK_MS > timeoutMs) return 'unavailable'
        await pause(LOOK_MS)
      }
    }
  }
}

import type { Msg } from '@nats-io/transport-node'
import {
  type DecideReply,
  type DecideRequest,
  decideSubject,
  partitionOf,
  type SlotDecision,
  unansweredDecisions,
} from '@slotstream/protocol'
import { type Nats, type Publisher, within } from '@slotstream/runtime'
import { decisionPublications } from '../intake/publish/publications.js'
import { publishAll } from '../intake/publish/publish-all.js'
import type { CollectorMetrics } from '../metrics.js'
import { askOwner } from '../owners/ask-owner.js'

/** How long a decision may take, in milliseconds. Pages give up sooner by themselves. */
const TIMEOUT_MS = 1_000
/** Time by which the owner's deadline is shorter, in milliseconds, so that its own "timeout" still arrives. */
const MARGIN_MS = 100
/** How long an answer waits for the record of decisions that no owner made, in milliseconds. */
const RECORD_WAIT_MS = 100

/** Decides what a request asks for; `cost` is what that takes beyond one message a slot, in messages. */
export type Decide = (request: Omit<DecideRequest, 'deadlineMs'>) => Promise<Decided>

interface Decided {
  decisions: SlotDecision[]
  cost: number
}

export interface DecideDeps {
  nats: Nats
  publisher: Publisher
  partitions: number
  metrics: CollectorMetrics
  /** How long a decision may take, in milliseconds. Default 1,000. */
  timeoutMs?: number | undefined
  /** Called with the time that an owner took, in milliseconds. */
  onAnswered: (ms: number) => void
}

/**
 * Creates the function that asks the owner of the visitor's partition. It always resolves: without an owner, or without
 * an answer in time, to recorded decisions for the page's own content.
 */
export function createDecide({
  nats,
  publisher,
  partitions,
  metrics,
  timeoutMs = TIMEOUT_MS,
  onAnswered,
}: DecideDeps): Decide {
  return async question => {
    const request: DecideRequest = { ...question, deadlineMs: Math.max(timeoutMs - MARGIN_MS, timeoutMs / 2) }
    const began = performance.now()
    const answer = await ask(request)
    if (answer !== 'unavailable') onAnswered(performance.now() - began)
    if (typeof answer !== 'string') return answer
    const { siteId, visitorId, preview } = request
    const now = Date.now()
    const { decisions, records } = unansweredDecisions(request, answer, now)
    // Nothing of a preview is recorded.
    if (preview)
      return {
        decisions: decisions.map(decision => ({ ...decision, decisionId: '', preview: true as const })),
        cost: 0,
      }
    const envelope = { siteId, visitorId, receivedAt: new Date(now).toISOString(), decisions: records }
    // Failing is counted where it happens; the page gets its answer all the same.
    const recorded = publishAll(publisher, decisionPublications(envelope, partitions), metrics).catch(() => {})
    await within(RECORD_WAIT_MS, recorded)
    return { decisions, cost: 0 }
  }

  async function ask(request: DecideRequest): Promise<Decided | 'timeout' | 'unavailable'> {
    const answer = await askOwner(nats, {
      subject: decideSubject(partitionOf(request.siteId, request.visitorId, partitions)),
      timeoutMs,
      body: passedMs => JSON.stringify({ ...request, deadlineMs: Math.max(0, request.deadlineMs - passedMs) }),
    })
    return typeof answer === 'string' ? answer : decisionsOf(answer)
  }
}

function decisionsOf(answer: Msg): Decided | 'unavailable' {
  try {
    const { decisions, cost = 0 } = answer.json<DecideReply>()
    return Array.isArray(decisions) ? { decisions, cost: Number.isSafeInteger(cost) ? cost : 0 } : 'unavailable'
  } catch {
    return 'unavailable'
  }
}

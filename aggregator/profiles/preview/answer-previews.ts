import type { Msg } from '@nats-io/transport-node'
import {
  type Check,
  isObject,
  isSiteId,
  type PreviewReply,
  type PreviewRequest,
  parseStored,
  previewSubject,
} from '@slotstream/protocol'
import { createTurns, type Log, type Nats } from '@slotstream/runtime'
import { answerPartitions, type PartitionAnswers, respondWithError } from '../../ownership/answer-partitions.js'

/** Partitions that a process looks through at a time. The others wait: decisions come first. */
const AT_ONCE = 2

/** Maximum time of an answer, in milliseconds, whatever a request says. */
const MAX_DEADLINE_MS = 120_000

export interface PreviewsDeps {
  nats: Pick<Nats, 'connection'>
  /** Finds who of a partition would be in a segment. Rejects when it is aborted. */
  preview: (partition: number, request: PreviewRequest, abort: AbortSignal) => Promise<PreviewReply>
  serves: (partition: number) => boolean
  holds: (partition: number) => boolean
  log: Log
}

/** Creates the answers to a `PreviewRequest`, of partitions that this process serves. */
export function answerPreviews({ nats, preview, serves, holds, log }: PreviewsDeps): PartitionAnswers {
  const inTurn = createTurns(AT_ONCE)
  return answerPartitions({ nats, subjectOf: previewSubject, answer, kind: 'requests for previews', log })

  async function answer(message: Msg, partition: number): Promise<void> {
    if (!serves(partition)) return
    const request = parseStored(message.data, parseRequest)
    if (!request.ok) return respondWithError(message, 400, request.reason, { faults: [request.reason] })
    const abort = AbortSignal.timeout(request.value.deadlineMs)
    const reply = await inTurn(async () => (abort.aborted ? undefined : preview(partition, request.value, abort)))
    // A partition that was given up meanwhile may have been read without its end.
    if (reply && serves(partition) && holds(partition)) message.respond(JSON.stringify(reply))
  }
}

function parseRequest(raw: unknown): Check<PreviewRequest> {
  if (!isObject(raw)) return { ok: false, reason: 'the request is not a JSON object' }
  const { siteId, where, deadlineMs } = raw
  if (!isSiteId(siteId)) return { ok: false, reason: 'siteId is not a site’s id' }
  if (typeof deadlineMs !== 'number' || !(deadlineMs > 0 && deadlineMs <= MAX_DEADLINE_MS))
    return { ok: false, reason: `deadlineMs is not a number up to ${MAX_DEADLINE_MS}` }
  return { ok: true, value: { siteId, where, deadlineMs: Math.ceil(deadlineMs) } }
}

import type { Msg } from '@nats-io/transport-node'
import {
  type Check,
  isAbsentOr,
  isId,
  isObject,
  isSiteId,
  isWebhookId,
  parseStored,
  type WebhookReply,
  type WebhookRequest,
  webhookSubject,
} from '@slotstream/protocol'
import type { Log, Nats } from '@slotstream/runtime'
import { answerPartitions, type PartitionAnswers, respondWithError } from '../ownership/answer-partitions.js'
import type { Partition } from './partition/partition.js'

export interface AnswersDeps {
  nats: Pick<Nats, 'connection'>
  /** Returns a partition that this process holds; undefined: it does not, or not any more. */
  partitionOf: (index: number) => Pick<Partition, 'deliveries' | 'replay'> | undefined
  log: Log
}

/**
 * Creates the answers to a `WebhookRequest`. A partition that has not heard of the webhook yet has delivered nothing to
 * it.
 */
export function answerRequests({ nats, partitionOf, log }: AnswersDeps): PartitionAnswers {
  return answerPartitions({ nats, subjectOf: webhookSubject, answer, kind: 'requests for deliveries', log })

  async function answer(message: Msg, index: number): Promise<void> {
    const request = parseStored(message.data, parseRequest)
    if (!request.ok) return respondWithError(message, 400, request.reason, { deliveries: [] })
    const partition = partitionOf(index)
    if (!partition) return
    const { webhookId, signalId } = request.value
    const reply: WebhookReply =
      request.value.do === 'deliveries'
        ? { deliveries: (await partition.deliveries(webhookId)) ?? [] }
        : ((await partition.replay(webhookId, signalId)) ?? { replayed: 0, left: 0 })
    message.respond(JSON.stringify(reply))
  }
}

function parseRequest(raw: unknown): Check<WebhookRequest> {
  if (!isObject(raw)) return { ok: false, reason: 'the request is not a JSON object' }
  const { siteId, webhookId, signalId } = raw
  if (!isSiteId(siteId) || !isWebhookId(webhookId)) return { ok: false, reason: 'it names no webhook' }
  if (raw.do !== 'deliveries' && raw.do !== 'replay')
    return { ok: false, reason: 'do is neither deliveries nor replay' }
  if (!isAbsentOr(signalId, isId)) return { ok: false, reason: 'signalId is no id' }
  return { ok: true, value: raw as unknown as WebhookRequest }
}

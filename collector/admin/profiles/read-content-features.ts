import {
  type ContentFeaturesReply,
  type ContentFeaturesRequest,
  contentSubject,
  isObject,
  partitionOf,
} from '@slotstream/protocol'
import type { Nats } from '@slotstream/runtime'
import { Failure } from '../../http/failure.js'
import { answerOf } from '../../owners/answer-of.js'

/** How long an answer may take, in milliseconds. */
const TIMEOUT_MS = 2_000

/**
 * Reads the features of a content. One without messages has them, too.
 *
 * @throws Failure `unavailable` when they cannot be read now
 */
export type ReadContentFeatures = (siteId: string, contentId: string) => Promise<ContentFeaturesReply['features']>

/** Creates the function that asks one of the processes that decide: each knows all content. */
export function createReadContentFeatures(
  nats: Pick<Nats, 'connection' | 'connected'>,
  partitions: number,
): ReadContentFeatures {
  return async (siteId, contentId) => {
    // Content is shared out like visitors, so that not one process answers for all.
    const partition = partitionOf(siteId, contentId, partitions)
    const body = () => JSON.stringify({ siteId, contentId } satisfies ContentFeaturesRequest)
    const request = { subject: contentSubject(partition), timeoutMs: TIMEOUT_MS, body, role: 'decisions' }
    const reply = (await answerOf(nats, partition, request)).json<Partial<ContentFeaturesReply> | null>()
    if (!isObject(reply?.features)) throw new Failure('unavailable', 'the answer of the aggregator is of another shape')
    return reply.features as ContentFeaturesReply['features']
  }
}

import { mergePreviews, type PreviewResult } from '@slotstream/core'
import { type PreviewReply, type PreviewRequest, previewSubject } from '@slotstream/protocol'
import type { Nats } from '@slotstream/runtime'
import { Failure } from '../../http/failure.js'
import { answerOf } from '../../owners/answer-of.js'

/** How long the owners may take to look through all persons, in milliseconds. */
const TIMEOUT_MS = 60_000

/**
 * Finds who would be in a segment now.
 *
 * @throws Failure `malformed` with a line for each fault of the condition; `unavailable` when an owner cannot answer
 */
export type PreviewSegment = (siteId: string, where: unknown) => Promise<PreviewResult>

/** Creates the function that asks the owners of all partitions, and adds up what they answer. */
export function createPreviewSegment(
  nats: Pick<Nats, 'connection' | 'connected'>,
  partitions: number,
  timeoutMs = TIMEOUT_MS,
): PreviewSegment {
  return async (siteId, where) => {
    const all = Array.from({ length: partitions }, (_, partition) => ask(partition, siteId, where))
    return mergePreviews(await Promise.all(all))
  }

  async function ask(partition: number, siteId: string, where: unknown): Promise<PreviewResult> {
    const body = (passedMs: number) =>
      JSON.stringify({ siteId, where, deadlineMs: Math.max(1, timeoutMs - passedMs) } satisfies PreviewRequest)
    const answer = await answerOf(nats, partition, { subject: previewSubject(partition), timeoutMs, body })
    const reply = answer.json<PreviewReply>()
    if ('faults' in reply) throw new Failure('malformed', reply.faults[0] ?? 'where is no condition', reply.faults)
    return reply
  }
}

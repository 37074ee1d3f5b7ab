import { type BatchAnswer, uuidv7 } from '@slotstream/protocol'
import type { Publisher } from '@slotstream/runtime'
import { takeBatch } from './intake.js'
import type { CollectorMetrics } from './metrics.js'
import { eventPublications, rejectedPublications } from './publications.js'
import { publishAll } from './publish-all.js'

/** What came with a batch. */
export interface BatchOrigin {
  siteId: string
  /** Size of the body the batch came in. */
  bytes: number
  userAgent: string | undefined
}

export interface StoredBatch {
  answer: BatchAnswer
  /** Position of each visitor's last stream message. */
  positions: Map<string, number>
}

export type StoreBatch = (body: unknown, origin: BatchOrigin) => Promise<StoredBatch>

/** Makes the function that checks a batch and stores it. It resolves when JetStream has all of it. */
export function createStoreBatch(publisher: Publisher, partitions: number, metrics: CollectorMetrics): StoreBatch {
  return async (body, origin) => {
    const intake = takeBatch(body, { ...origin, received: Date.now(), newId: uuidv7 })
    const batchId = batchIdOf(body)
    const events = intake.envelopes.flatMap(envelope =>
      eventPublications(envelope, batchId, partitions).map(publication => ({
        ...publication,
        visitorId: envelope.visitorId,
      })),
    )
    const refused = intake.refused ? rejectedPublications(intake.refused, batchId, partitions) : []
    const stored = await publishAll(publisher, [...events, ...refused], metrics)

    metrics.accepted.inc(intake.accepted)
    for (const { code } of intake.rejections) metrics.rejected.inc({ code })
    const positions = new Map<string, number>()
    for (const [index, { visitorId }] of events.entries()) positions.set(visitorId, stored[index]!.seq)
    const answer: BatchAnswer = { success: true, accepted: intake.accepted, rejected: intake.rejections }
    if (positions.size === 1) answer.position = Math.max(...positions.values())
    return { answer, positions }
  }
}

function batchIdOf(body: unknown): string {
  const { batchId } = body as { batchId?: unknown }
  return typeof batchId === 'string' ? batchId : ''
}

import { type BatchAnswer, type Site, uuidv7 } from '@slotstream/protocol'
import type { Publisher } from '@slotstream/runtime'
import type { Enricher } from './enrich/enrich.js'
import { takeBatch } from './intake.js'
import type { CollectorMetrics } from './metrics.js'
import type { Plans } from './plan/plans.js'
import { eventPublications, type Publication, rejectedPublications } from './publications.js'
import { publishAll } from './publish-all.js'
import { createBatchText, type TakenEnvelope } from './taken.js'

/** What came with a batch. */
export interface BatchOrigin {
  site: Site
  /** Size of the body the batch came in. */
  bytes: number
  /** The JSON text of which the batch was made, where it was made of it as a whole. */
  text?: string
  userAgent: string | undefined
  enricher: Enricher
}

export interface StoredBatch {
  answer: BatchAnswer
  /** Position of each visitor's last stream message; those who are spread have none. */
  positions: Map<string, number>
}

export type StoreBatch = (body: unknown, origin: BatchOrigin) => Promise<StoredBatch>

/**
 * Makes the function that checks a batch and stores it. It resolves when JetStream has all of it.
 *
 * @param plans the sites' tracking plans. Default: none
 */
export function createStoreBatch(
  publisher: Publisher,
  partitions: number,
  metrics: CollectorMetrics,
  plans: Pick<Plans, 'of'> = { of: () => undefined },
): StoreBatch {
  return async (body, origin) => {
    const { siteId } = origin.site
    const { bytes, text, userAgent, enricher } = origin
    const intake = takeBatch(body, {
      siteId,
      received: Date.now(),
      bytes,
      text: text === undefined ? undefined : createBatchText(text),
      userAgent,
      newId: uuidv7,
      enricher,
      plan: plans.of(siteId),
    })
    const batchId = batchIdOf(body)
    const publications: Publication[] = []
    const visitors: string[] = []
    for (const made of intake.envelopes) {
      const spread = origin.site.spread?.includes(made.visitorId)
      const envelope: TakenEnvelope = spread ? { ...made, spread: true } : made
      for (const publication of eventPublications(envelope, batchId, partitions)) {
        publications.push(publication)
        visitors.push(spread ? '' : envelope.visitorId)
      }
    }
    if (intake.refused) publications.push(...rejectedPublications(intake.refused, batchId, partitions))
    const stored = await publishAll(publisher, publications, metrics)

    metrics.ofSite(siteId).accepted(intake.accepted)
    for (const { code } of intake.rejections) metrics.ofSite(siteId).rejected(code)
    for (const { code } of intake.violations) metrics.ofSite(siteId).violated(code)
    const positions = new Map<string, number>()
    for (const [index, visitorId] of visitors.entries()) if (visitorId) positions.set(visitorId, stored[index]!.seq)
    const answer: BatchAnswer = { success: true, accepted: intake.accepted, rejected: intake.rejections }
    if (intake.violations.length > 0) answer.violations = intake.violations
    if (positions.size === 1) answer.position = Math.max(...positions.values())
    return { answer, positions }
  }
}

function batchIdOf(body: unknown): string {
  const { batchId } = body as { batchId?: unknown }
  return typeof batchId === 'string' ? batchId : ''
}

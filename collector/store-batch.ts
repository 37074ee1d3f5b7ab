import { type BatchAnswer, type Site, uuidv7 } from '@slotstream/protocol'
import { NO_TOMBSTONES, type Publisher, type Tombstones } from '@slotstream/runtime'
import type { Enricher } from './enrich/enrich.js'
import { takeBatch } from './intake.js'
import type { CollectorMetrics } from './metrics.js'
import { forgottenMessage } from './people/forgotten.js'
import type { Plans } from './plan/plans.js'
import { eventPublications, type Publication, rejectedPublications } from './publications.js'
import { publishAll } from './publish-all.js'
import type { Written } from './read-body.js'
import { createBatchText, type TakenEnvelope } from './taken.js'

/** What came with a batch. */
export interface BatchOrigin {
  site: Site
  /** Size of the body the batch came in. */
  bytes: number
  /** What the batch was made of, where that is a batch, too. */
  written?: Written
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
 * @param tombstones what is from before a person's deletion is refused. Default: nobody was deleted
 */
export function createStoreBatch(
  publisher: Publisher,
  partitions: number,
  metrics: CollectorMetrics,
  plans: Pick<Plans, 'of'> = { of: () => undefined },
  tombstones: () => Tombstones = () => NO_TOMBSTONES,
): StoreBatch {
  return async (body, origin) => {
    const { siteId } = origin.site
    // Apart, so that nothing of the batch as it was read is kept until JetStream has answered.
    const { publications, visitors, accepted, rejections, violations } = prepare(body, origin)
    const stored = await publishAll(publisher, publications, metrics)

    metrics.ofSite(siteId).accepted(accepted)
    for (const { code } of rejections) metrics.ofSite(siteId).rejected(code)
    for (const { code } of violations) metrics.ofSite(siteId).violated(code)
    const positions = new Map<string, number>()
    for (const [index, visitorId] of visitors.entries()) if (visitorId) positions.set(visitorId, stored[index]!.seq)
    const answer: BatchAnswer = { success: true, accepted, rejected: rejections }
    if (violations.length > 0) answer.violations = violations
    if (positions.size === 1) answer.position = Math.max(...positions.values())
    return { answer, positions }
  }

  /** Checks a batch and writes what of it is for the stream. `visitors` are those of its first publications; '' for the spread. */
  function prepare(body: unknown, { site, bytes, written, userAgent, enricher }: BatchOrigin) {
    const { siteId } = site
    const { envelopes, refused, accepted, rejections, violations } = takeBatch(body, {
      siteId,
      received: Date.now(),
      bytes,
      text: written && createBatchText(written),
      userAgent,
      newId: uuidv7,
      enricher,
      plan: plans.of(siteId),
      isForgotten: forgottenMessage(tombstones(), siteId),
    })
    const batchId = batchIdOf(body)
    const publications: Publication[] = []
    const visitors: string[] = []
    for (const made of envelopes) {
      const spread = site.spread?.includes(made.visitorId)
      const envelope: TakenEnvelope = spread ? { ...made, spread: true } : made
      for (const publication of eventPublications(envelope, batchId, partitions)) {
        publications.push(publication)
        visitors.push(spread ? '' : envelope.visitorId)
      }
    }
    if (refused) publications.push(...rejectedPublications(refused, batchId, partitions))
    return { publications, visitors, accepted, rejections, violations }
  }
}

function batchIdOf(body: unknown): string {
  const { batchId } = body as { batchId?: unknown }
  return typeof batchId === 'string' ? batchId : ''
}

import { type BatchAnswer, type KeyKind, type PrivacySignal, type Site, uuidv7 } from '@slotstream/protocol'
import type { Publisher } from '@slotstream/runtime'
import type { Enricher } from './enrich/enrich.js'
import { takeBatch } from './intake.js'
import { createSenders } from './keys/senders.js'
import type { CollectorMetrics } from './metrics.js'
import type { Plans } from './plan/plans.js'
import { droppedBatch } from './privacy-signal.js'
import { eventPublications, type Publication, rejectedPublications } from './publications.js'
import { publishAll } from './publish-all.js'
import type { Written } from './read-body.js'
import { createBatchText, type TakenEnvelope } from './taken.js'

/** What came with a batch. */
export interface BatchOrigin {
  site: Site
  /** Kind of the key it came with. */
  key: KeyKind
  /** Size of the body the batch came in. */
  bytes: number
  /** What the batch was made of, where that is a batch, too. */
  written?: Written
  userAgent: string | undefined
  enricher: Enricher
  /** A privacy signal that the site honours: nothing is stored. Default none. */
  signal?: PrivacySignal | undefined
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
    if (origin.signal) {
      const answer = droppedBatch(body, origin.signal)
      metrics.droppedMessages.inc({ signal: origin.signal }, answer.dropped?.[origin.signal] ?? 0)
      return { answer, positions: new Map() }
    }
    // Apart, so that nothing of the batch as it was read is kept until JetStream has answered.
    const { publications, visitors, accepted, rejections, violations } = prepare(body, origin)
    const stored = await publishAll(publisher, publications, metrics)

    metrics.ofSite(siteId).accepted(accepted)
    for (const { code } of rejections) metrics.ofSite(siteId).rejected(code)
    for (const { code } of violations) metrics.ofSite(siteId).violated(code)
    const positions = new Map<string, number>()
    // A visitor's messages can be several publications; a duplicate's position is that of its first send.
    for (const [index, visitorId] of visitors.entries())
      if (visitorId) positions.set(visitorId, Math.max(positions.get(visitorId) ?? 0, stored[index]!.seq))
    const answer: BatchAnswer = { success: true, accepted, rejected: rejections }
    if (violations.length > 0) answer.violations = violations
    if (positions.size === 1) answer.position = Math.max(...positions.values())
    return { answer, positions }
  }

  /** Checks a batch and writes what of it is for the stream. `visitors` are those of its first publications; '' for the spread. */
  function prepare(body: unknown, { site, key, bytes, written, userAgent, enricher }: BatchOrigin) {
    const { siteId } = site
    const received = Date.now()
    const { envelopes, refused, accepted, rejections, violations } = takeBatch(body, {
      siteId,
      received,
      senders: createSenders(site, key, received),
      bytes,
      text: written && createBatchText(written),
      userAgent,
      newId: uuidv7,
      enricher,
      plan: plans.of(siteId),
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

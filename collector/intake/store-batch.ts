import { type BatchAnswer, createUuidv7Maker, type KeyKind, type PrivacySignal, type Site } from '@slotstream/protocol'
import { createSlices, NO_TOMBSTONES, type Publisher, type Tombstones } from '@slotstream/runtime'
import type { WorkPool } from '@slotstream/tracking-plan'
import type { Enricher } from '../enrich/enrich.js'
import type { RawBody } from '../http/body/read-body.js'
import { droppedBatch } from '../http/request/privacy-signal.js'
import { createSenders } from '../keys/senders.js'
import type { CollectorMetrics } from '../metrics.js'
import type { Plans } from '../plan/plans.js'
import type { Admission } from '../safety/message-limits.js'
import type { RejectionBudget } from '../safety/rejection-budget.js'
import { forgottenMessage } from './accept/forgotten.js'
import { createBatchText, type OutgoingEnvelope } from './publish/outgoing-envelope.js'
import { eventPublications, type Publication, rejectedPublications } from './publish/publications.js'
import { type Pace, publishAll } from './publish/publish-all.js'
import { sum } from './rejected/rejected-counts.js'
import { type BatchScope, type Intake, takeBatch, takeBatchInSlices } from './take-batch.js'

/** Visitors of one batch above which it is written while its first messages are on their way. */
const MANY_VISITORS = 32

/** How long a batch of new visitors takes at most, in milliseconds: its client waits. */
const LONGEST_BATCH_MS = 10_000

/** Messages of a paced batch that are published at a time, and of one that is held back. */
const PACED_WAVE = 32
const HELD_WAVE = 8

/** Messages of one batch above which it is checked in slices. */
const MANY_MESSAGES = 256

/** Work of checking against a tracking plan that costs as much as one message. */
const WORK_PER_MESSAGE = 1_000

/** A request's facts about its batch. */
export interface Receipt {
  site: Site
  /** Kind of the key it came with. */
  key: KeyKind
  /** Size of the body the batch came in. */
  bytes: number
  /** Whole numbers of it are marked text, see `markIntegers`. Default: there are none. */
  isMarked?: boolean
  /** Text and bytes of the batch, where those are a batch, too. */
  written?: RawBody
  userAgent: string | undefined
  enricher: Enricher
  /** A privacy signal that the site honours: nothing is stored. Default none. */
  signal?: PrivacySignal | undefined
  /** Pays for what is stored. */
  admission: Admission
  /** Bounds on how many rejected messages of the request are reported and stored in detail. */
  rejections: RejectionBudget
  /** Bounds the work of checking the request's messages against the tracking plan. */
  work: WorkPool
}

export interface StoredBatch {
  answer: BatchAnswer
  /** Position of each visitor's last stream message; those who are spread have none. */
  positions: Map<string, number>
}

export type StoreBatch = (body: unknown, origin: Receipt) => Promise<StoredBatch>

/**
 * Creates the function that checks a batch and stores it. It resolves when JetStream has all of it.
 *
 * @param plans the sites' tracking plans. Default: none
 * @param tombstones what is from before a person's deletion is rejected. Default: none was deleted
 */
export function createStoreBatch(
  publisher: Publisher,
  partitions: number,
  metrics: CollectorMetrics,
  plans: Pick<Plans, 'of'> = { of: () => undefined },
  tombstones: () => Tombstones = () => NO_TOMBSTONES,
): StoreBatch {
  const slice = createSlices()
  const newId = createUuidv7Maker()
  return async (body, origin) => {
    const { siteId } = origin.site
    if (origin.signal) {
      const answer = droppedBatch(body, origin.signal)
      metrics.droppedMessages.inc({ signal: origin.signal }, answer.dropped?.[origin.signal] ?? 0)
      return { answer, positions: new Map() }
    }
    // Apart, so that nothing of a usual batch as it was read is kept until JetStream has answered.
    const { publications, visitors, intake, pace } = await prepare(body, origin)
    const stored = await publishAll(publisher, publications, metrics, pace)

    count(siteId, intake)
    const positions = new Map<string, number>()
    // A visitor's messages can be several publications; a duplicate's position is that of its first send.
    for (const [index, visitorId] of visitors.entries())
      if (visitorId) positions.set(visitorId, Math.max(positions.get(visitorId) ?? 0, stored[index]!.seq))
    const answer = answerOf(intake)
    if (positions.size === 1) answer.position = Math.max(...positions.values())
    return { answer, positions }
  }

  /**
   * Checks a batch and writes what of it is for the stream. `visitors` are those of its first publications; '' for the
   * spread. A batch of very many visitors is written while its first messages are on their way, and, where some are
   * new, goes on at their pace: no other request waits for it. One of many messages is checked in slices.
   */
  async function prepare(body: unknown, origin: Receipt) {
    const { site, key, bytes, isMarked, written, userAgent, enricher, admission, rejections, work } = origin
    const { siteId } = site
    const received = Date.now()
    const scope: BatchScope = {
      siteId,
      received,
      senders: createSenders(site, key, received),
      bytes,
      ...(isMarked ? { isMarked } : {}),
      text: written && createBatchText(written),
      userAgent,
      newId,
      enricher,
      plan: plans.of(siteId),
      work,
      rejections,
      isForgotten: forgottenMessage(tombstones(), siteId),
    }
    const isLong = messagesIn(body) > MANY_MESSAGES
    const outcome = isLong ? await takeBatchInSlices(body, scope, slice) : takeBatch(body, scope)
    const { envelopes, rejected, ...intake } = outcome
    const strangers = admission.pay(
      messagesIn(body) + Math.ceil(work.owed / WORK_PER_MESSAGE),
      envelopes.map(({ visitorId }) => visitorId),
    )
    work.owed = 0
    const batchId = batchIdOf(body)
    const visitors: string[] = []
    const isLarge = envelopes.length > MANY_VISITORS
    const publications = isLarge ? write() : [...write()]
    return { publications, visitors, intake, pace: paceOf(admission, strangers, envelopes.length) }

    function* write(): Generator<Publication> {
      for (const outgoing of envelopes) {
        const spread = site.spread?.includes(outgoing.visitorId)
        const envelope: OutgoingEnvelope = spread ? { ...outgoing, spread: true } : outgoing
        for (const publication of eventPublications(envelope, batchId, partitions)) {
          visitors.push(spread ? '' : envelope.visitorId)
          yield publication
        }
      }
      if (rejected) yield* rejectedPublications(rejected, batchId, partitions)
    }
  }

  function count(siteId: string, { accepted, rejections, violations, moreRejected, moreViolations }: Counts): void {
    const site = metrics.ofSite(siteId)
    site.accepted(accepted)
    for (const { code } of rejections) site.rejected(code)
    for (const { code } of violations) site.violated(code)
    for (const [code, messages] of moreRejected ?? []) site.rejected(code, messages)
    for (const [code, messages] of moreViolations ?? []) site.violated(code, messages)
  }
}

/** Returns the pace of a batch; undefined where all of it may be published at once. */
function paceOf(admission: Admission, strangers: number, visitors: number): Pace | undefined {
  const { isHeld } = admission
  if (strangers === 0 || (strangers <= MANY_VISITORS && !isHeld)) return undefined
  return {
    wave: isHeld ? HELD_WAVE : PACED_WAVE,
    wait: count => Math.min(admission.pace(count), (LONGEST_BATCH_MS * count) / visitors),
  }
}

type Counts = Omit<Intake, 'envelopes' | 'rejected'>

function answerOf({ accepted, rejections, violations, moreRejected, moreViolations }: Counts): BatchAnswer {
  const answer: BatchAnswer = { success: true, accepted, rejected: rejections }
  if (moreRejected) answer.moreRejected = sum(moreRejected)
  if (violations.length > 0) answer.violations = violations
  if (moreViolations) answer.moreViolations = sum(moreViolations)
  return answer
}

/** Messages of a batch, whether or not they are good; 0 for what is no batch. */
function messagesIn(body: unknown): number {
  const { batch } = (body ?? {}) as { batch?: unknown }
  return Array.isArray(batch) ? batch.length : 0
}

function batchIdOf(body: unknown): string {
  const { batchId } = body as { batchId?: unknown }
  return typeof batchId === 'string' ? batchId : ''
}

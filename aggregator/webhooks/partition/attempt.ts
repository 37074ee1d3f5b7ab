import { type DeliveryRecord, isoTime, type SignalEnvelope, type SignalRecord, uuidv7 } from '@slotstream/protocol'
import { type Log, retryForever } from '@slotstream/runtime'
import type { WebhookMetrics } from '../metrics.js'
import type { PublishDelivery } from '../publish-delivery.js'
import { nextAttempt, type RetryBounds } from '../queue/next-attempt.js'
import type { Pending } from '../queue/pending.js'
import { deliver } from '../send/deliver.js'
import { deliveryIdOf } from '../send/delivery-id.js'
import type { Sender, SendResult } from '../send/send-request.js'
import { envelopeOf, type LetterStore } from '../store/letter-store.js'
import type { WebhookState } from './partition-state.js'
import { noteRecent } from './recent.js'
import type { SignalSource } from './signal-source.js'

/** Pause after something of ours failed, in milliseconds: it is no attempt. */
const AGAIN_MS = 1_000

export interface AttemptDeps {
  partition: number
  source: Pick<SignalSource, 'get'>
  letters: Pick<LetterStore, 'read' | 'write' | 'remove'>
  sender: Pick<Sender, 'send'>
  publish: PublishDelivery
  isForgotten: (siteId: string, record: SignalRecord) => boolean
  retry: RetryBounds
  /** Dead letters of a webhook that the partition may have. */
  maxLetters: number
  metrics: WebhookMetrics
  now: () => number
  random?: () => number
  log: Log
}

/** A signal alone, as its message has it. */
interface StoredSignal {
  envelope: SignalEnvelope
  record: SignalRecord
}

/**
 * Creates the function that attempts to deliver a signal that was taken from a webhook's queue, and puts it back or
 * removes it. It resolves in any case. What it did is a record in the stream before the queue is without the signal.
 */
export function createAttempt(deps: AttemptDeps): (each: WebhookState, pending: Pending) => Promise<void> {
  const { partition, letters, sender, publish, isForgotten, metrics, now, log } = deps

  return async (each, pending) => {
    const { queue, ending } = each
    try {
      const stored = await findSignal(deps, each, pending)
      if (typeof stored === 'string') giveUp(each, pending, stored)
      else if (isForgotten(stored.envelope.siteId, stored.record)) giveUp(each, pending, 'deleted')
      else await attempt(each, pending, stored)
    } catch (error) {
      if (!ending.signal.aborted)
        log.warn(
          { err: error, partition, webhookId: each.webhook.webhookId },
          'a delivery was interrupted, trying again',
        )
      queue.putBack(pending, { due: now() + AGAIN_MS })
    }
    each.isChanged = true
  }

  /** Drops a signal that no longer exists: its person was deleted, or the stream's retention has removed it. */
  function giveUp(each: WebhookState, pending: Pending, why: 'deleted' | 'expired'): void {
    metrics.deliveries.inc({ outcome: why })
    if (why === 'expired')
      log.error({ partition, webhookId: each.webhook.webhookId, signalId: pending.signalId }, 'a signal was too old')
    each.letters.delete(pending.signalId)
    each.queue.remove(pending)
  }

  async function attempt(each: WebhookState, pending: Pending, stored: StoredSignal): Promise<void> {
    const { webhook, queue, ending } = each
    const began = now()
    const clock = performance.now()
    const result = await deliver(sender, webhook, stored.envelope.siteId, stored.record, began, ending.signal)
    ending.signal.throwIfAborted()
    const durationMs = Math.round(performance.now() - clock)
    metrics.seconds.observe(durationMs / 1_000)
    const outcome = outcomeOf(each, pending, result)
    const after = { attempts: pending.attempts + 1, status: result.status, error: result.error, at: now() }
    const { webhookId } = webhook
    const { signalId, signal, timestamp, anonymousId, userId } = stored.record
    const delivery: DeliveryRecord = {
      ...{ attemptId: uuidv7(), webhookId, deliveryId: deliveryIdOf(webhookId, signalId), signalId, signal, timestamp },
      ...{ anonymousId, userId, attemptedAt: isoTime(began), attempt: after.attempts, outcome: outcome.state },
      ...{ status: result.status, error: result.error, durationMs },
      ...(outcome.due !== undefined && { nextAt: isoTime(outcome.due) }),
    }
    if (outcome.state === 'dead') await deadLetter(each, { ...pending, ...after }, stored)
    const { siteId, visitorId } = stored.envelope
    await publish(partition, { siteId, visitorId, receivedAt: isoTime(now()), deliveries: [delivery] }, ending.signal)
    metrics.deliveries.inc({ outcome: outcome.state })
    if (outcome.due !== undefined) return queue.putBack(pending, { ...after, due: outcome.due })
    if (outcome.state === 'delivered' && each.letters.delete(signalId))
      await again(() => letters.remove(siteId, webhookId, signalId), ending.signal)
    noteRecent(each, { ...pending, ...after }, outcome.state === 'dead' ? 'dead' : 'delivered')
    queue.remove(pending)
  }

  /** Judges a result: delivered, tried again at `due`, or given up. */
  function outcomeOf(each: WebhookState, pending: Pending, { error, retryAfterMs }: SendResult) {
    if (error === '') return { state: 'delivered' as const, due: undefined }
    const tried = { attempts: pending.attempts + 1, since: pending.since }
    const due = nextAttempt(deps.retry, tried, now(), retryAfterMs, (deps.random ?? Math.random)())
    if (due !== undefined) return { state: 'failed' as const, due }
    if (each.letters.has(pending.signalId) || each.letters.size < deps.maxLetters)
      return { state: 'dead' as const, due: undefined }
    return { state: 'failed' as const, due: now() + deps.retry.longestRetryMs }
  }

  async function deadLetter(each: WebhookState, pending: Pending, { envelope }: StoredSignal): Promise<void> {
    const { webhook, ending } = each
    await again(() => letters.write(webhook.webhookId, envelope, pending, isoTime(pending.at)), ending.signal)
    each.letters.add(pending.signalId)
  }

  function again<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    return retryForever(work, signal, (error, tries) => {
      if (tries % 20 === 0) log.warn({ err: error, partition }, 'a dead letter could not be changed, trying again')
    })
  }
}

/** Finds a signal in the stream, or in its dead letter. */
async function findSignal(
  { source, letters }: Pick<AttemptDeps, 'source' | 'letters'>,
  { webhook }: WebhookState,
  { seq, index, signalId, letter }: Pending,
): Promise<StoredSignal | 'deleted' | 'expired'> {
  const message = letter ? await letters.read(webhook.siteId, webhook.webhookId, signalId) : await source.get(seq)
  if (message === undefined || typeof message === 'string') return message ?? 'deleted'
  const envelope = envelopeOf({ payload: 'payload' in message ? message.payload : message.data })
  // A message that was written again without a person may stand where another one was.
  const record = envelope?.signals[letter ? 0 : index]
  return envelope && record?.signalId === signalId
    ? { envelope: { ...envelope, signals: [record] }, record }
    : 'deleted'
}

import type { DeclaredWebhook } from '../declared/watch-webhooks.js'
import { createDeliveryQueue, type DeliveryQueue } from '../queue/delivery-queue.js'
import type { Pending } from '../queue/pending.js'
import type { Stored, WebhookPosition } from '../store/position-store.js'

/** A delivery that has ended, and the location of its signal. */
export type Recent = Pending & { state: 'delivered' | 'dead' }

/** A webhook in a partition. */
export interface WebhookState {
  webhook: DeclaredWebhook
  readonly queue: DeliveryQueue
  /** Sequence up to which its signals were taken into the queue. */
  takenThrough: number
  /**
   * True if it takes the messages of the partition's reader. Otherwise it has a reader of its own for those it had no
   * room for.
   */
  isLive: boolean
  /** Signals that it has dead letters of. */
  letters: Set<string>
  /** The latest that were delivered or given up, newest first. */
  recent: Recent[]
  /** Revision of its stored position; 0: there is none. */
  revision: number
  /** True if its stored position differs from this one. */
  isChanged: boolean
  /** Ends its requests: it was deleted, or the partition is given up. */
  readonly ending: AbortController
}

/** A partition in memory. */
export interface PartitionState {
  readonly index: number
  readonly webhooks: Map<string, WebhookState>
  /** Sequence up to which the partition's reader has read. */
  through: number
  /** The stored position, and its revision; 0: there is none. */
  stored: { through: number; revision: number }
}

/** Webhooks of which a position is stored. */
export type KnownPositions = ReadonlyMap<string, Stored<WebhookPosition>>

/**
 * Returns a webhook as its stored position has it. One without a position begins after what was there when it was
 * declared.
 *
 * @param since the sequence of that
 * @param end the stream's last sequence: what a stream that lost its end had beyond it will come again
 * @param through what is stored of the partition; undefined: nothing
 */
export function restoredWebhook(
  webhook: DeclaredWebhook,
  { value, revision }: Stored<WebhookPosition>,
  { since, end, through }: { since: number; end: number; through: number | undefined },
): WebhookState {
  const stored = value?.through ?? (revision > 0 ? through : undefined)
  const takenThrough = Math.min(end, Math.max(since, stored ?? 0))
  const queue = createDeliveryQueue()
  // What was taken after the position is read once more.
  for (const pending of value?.pending ?? [])
    if (pending.seq <= takenThrough || pending.letter) queue.add({ ...pending })
  return {
    webhook,
    queue,
    takenThrough,
    isLive: stored !== undefined && value?.through === undefined,
    letters: new Set(),
    recent: [],
    revision,
    isChanged: revision === 0,
    ending: new AbortController(),
  }
}

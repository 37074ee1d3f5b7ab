import { isoTime, type WebhookDelivery } from '@slotstream/protocol'
import type { Pending } from '../queue/pending.js'
import { deliveryIdOf } from '../send/delivery-id.js'
import type { Recent, WebhookState } from './partition-state.js'

/** Deliveries that are remembered of each webhook in each partition. */
const MAX_RECENT = 10

/** Remembers a delivery that has ended. */
export function noteRecent({ recent }: WebhookState, pending: Pending, state: Recent['state']): void {
  recent.unshift({ ...pending, state })
  recent.splice(MAX_RECENT)
}

/** Describes a signal that a webhook is to get, or got. */
export function shownDelivery(
  webhookId: string,
  { signalId, signal, attempts, status, error, at, due }: Pending,
  state: WebhookDelivery['state'],
): WebhookDelivery {
  return {
    deliveryId: deliveryIdOf(webhookId, signalId),
    signalId,
    signal,
    state,
    attempts,
    status: status || null,
    error: error || null,
    at: isoTime(at),
    ...(state === 'pending' && { nextAt: isoTime(due) }),
  }
}

/** NATS request to `webhook.<partition>`, from a collector to the owner of the partition. */
export interface WebhookRequest {
  siteId: string
  webhookId: string
  /**
   * `deliveries`: tell of the latest ones. `replay`: deliver dead letters again, or the signal of this id, whatever
   * became of it.
   */
  do: 'deliveries' | 'replay'
  signalId?: string
}

/** A signal that a webhook is to get, and the state of that. Times are ISO 8601. */
export interface WebhookDelivery {
  /** The header `webhook-id`. */
  deliveryId: string
  signalId: string
  signal: string
  state: 'pending' | 'delivered' | 'dead'
  /** Attempts so far. */
  attempts: number
  /** HTTP status that the last attempt was answered with; null: there was no answer. */
  status: number | null
  /** Reason why the last attempt failed; null: it did not. */
  error: string | null
  /** When the state began or the last attempt ended. */
  at: string
  /** When it is tried next. Absent: it is not. */
  nextAt?: string
}

/** Reply to a `WebhookRequest`: deliveries of this partition, newest first, or how many are delivered again. */
export type WebhookReply = { deliveries: WebhookDelivery[] } | { replayed: number; left: number }

/** Deliveries that are told, at most. */
export const MAX_DELIVERIES_TOLD = 100

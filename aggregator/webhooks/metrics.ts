import type { Metrics } from '@slotstream/runtime'

/** Metrics of the role. */
export type WebhookMetrics = ReturnType<typeof webhookMetrics>

/** Creates the metrics of the role. */
export function webhookMetrics(metrics: Metrics) {
  return {
    deliveries: metrics.counter('webhook_deliveries_total', 'Attempts to deliver signals to webhooks, by outcome', [
      'outcome',
    ]),
    seconds: metrics.seconds('webhook_seconds', 'Time until a webhook answered'),
    pending: metrics.gauge('webhook_pending', 'Signals that are under way to webhooks or wait for their next attempt'),
    oldest: metrics.gauge('webhook_oldest_seconds', 'Age of the oldest of them'),
    behind: metrics.gauge('webhook_behind', 'Webhooks with signals left in the stream for lack of room, by partition'),
    letters: metrics.gauge('webhook_dead_letters', 'Signals that webhooks did not take in time'),
  }
}

import type { Metrics } from '@slotstream/runtime'

/** The collector's own metrics. */
export function createCollectorMetrics(metrics: Metrics) {
  return {
    registry: metrics.registry,
    requests: metrics.counter('http_requests_total', 'Requests by route and status', ['route', 'status']),
    inFlight: metrics.gauge('http_requests_in_flight', 'Requests that are being answered'),
    bytes: metrics.counter('http_body_bytes_total', 'Bytes of request bodies, after decompression'),
    accepted: metrics.counter('messages_accepted_total', 'Messages that were accepted and stored'),
    rejected: metrics.counter('messages_rejected_total', 'Messages that were rejected, by code', ['code']),
    publishSeconds: metrics.seconds('publish_seconds', 'Time until JetStream acknowledged a batch'),
    publishFailures: metrics.counter('publish_failures_total', 'Requests that JetStream did not store, by cause', [
      'code',
    ]),
    decisions: metrics.counter('slot_decisions_total', 'Answers to slot requests, by outcome', ['outcome']),
  }
}

export type CollectorMetrics = ReturnType<typeof createCollectorMetrics>

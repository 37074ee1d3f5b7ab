import type { Metrics } from '@slotstream/runtime'
import { createSitesMetrics } from './site-metrics.js'

/** Sites with series of their own. Those that come later are counted together, as `other`. */
const MAX_SITES = 100

/**
 * Creates the collector's own metrics.
 *
 * @param sources what is being answered, and let through, when the metrics are read
 */
export function createCollectorMetrics(
  metrics: Metrics,
  sources: { requests: () => number; bytes: () => number; visitorShare: () => number },
  maxSites = MAX_SITES,
) {
  const inFlightRequests = metrics.gauge('http_requests_in_flight', 'Requests that are being answered')
  const inFlightBytes = metrics.gauge('http_body_bytes_in_flight', 'Bytes of bodies that are being worked on')
  const requests = metrics.counter('http_requests_total', 'Requests by route and status', ['route', 'status'])
  const visitorShare = metrics.gauge('new_visitors_share', 'Share of the limits of new visitors that is let through')
  const series = new Map<string, { inc(): void }>()

  return {
    ...createSitesMetrics(metrics, maxSites),
    registry: metrics.registry,
    /** Returns the text that Prometheus reads. */
    text() {
      inFlightRequests.set(sources.requests())
      inFlightBytes.set(sources.bytes())
      visitorShare.set(sources.visitorShare())
      return metrics.registry.metrics()
    },
    request(route: string, status: number | 'aborted') {
      const key = `${status} ${route}`
      const counter = series.get(key) ?? requests.labels(route, String(status))
      series.set(key, counter)
      counter.inc()
    },
    bytes: metrics.counter('http_body_bytes_total', 'Bytes of request bodies, after decompression'),
    publishSeconds: metrics.seconds('publish_seconds', 'Time until JetStream acknowledged a batch'),
    duplicates: metrics.counter('publications_duplicate_total', 'Messages that JetStream had already, and dropped'),
    publishFailures: metrics.counter('publish_failures_total', 'Requests that JetStream did not store, by cause', [
      'code',
    ]),
    droppedMessages: metrics.counter(
      'privacy_signal_messages_total',
      'Messages that were acknowledged and not stored, by the signal that the site honours',
      ['signal'],
    ),
    undecidedSlots: metrics.counter(
      'privacy_signal_slots_total',
      'Slots that kept the content of the page, by the signal that the site honours',
      ['signal'],
    ),
    decisions: metrics.counter('slot_decisions_total', 'Answers to slot requests, by outcome', ['outcome']),
  }
}

export type CollectorMetrics = ReturnType<typeof createCollectorMetrics>

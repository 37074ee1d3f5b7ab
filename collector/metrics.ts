import type { Metrics } from '@slotstream/runtime'

/** Sites with series of their own. Those that come later are counted together, as `other`. */
const MAX_SITES = 100

/** Counters of one site; no look-up by label for each message. */
export interface SiteMetrics {
  request(bytes: number): void
  accepted(messages: number): void
  /** `messages`: how many, default 1. */
  rejected(code: string, messages?: number): void
  /** A message was stored although it breaks the tracking plan. */
  violated(code: string, messages?: number): void
}

/** The collector's own metrics. */
export function createCollectorMetrics(
  metrics: Metrics,
  inFlight: { requests: () => number; bytes: () => number },
  maxSites = MAX_SITES,
) {
  const inFlightRequests = metrics.gauge('http_requests_in_flight', 'Requests that are being answered')
  const inFlightBytes = metrics.gauge('http_body_bytes_in_flight', 'Bytes of bodies that are being worked on')
  const accepted = metrics.counter('messages_accepted_total', 'Messages that were accepted and stored')
  const rejected = metrics.counter('messages_rejected_total', 'Messages that were rejected, by code', ['code'])
  const requestsOfSites = metrics.counter('site_requests_total', 'Requests with a write key, by site', ['site'])
  const bytesOfSites = metrics.counter('site_body_bytes_total', 'Bytes of request bodies, by site', ['site'])
  const acceptedOfSites = metrics.counter('site_messages_accepted_total', 'Messages accepted, by site', ['site'])
  const rejectedOfSites = metrics.counter('site_messages_rejected_total', 'Messages rejected, by site and code', [
    'site',
    'code',
  ])
  const violatedOfSites = metrics.counter(
    'site_plan_violations_total',
    'Messages stored although they break the tracking plan, by site and code',
    ['site', 'code'],
  )
  const planOfSites = metrics.gauge('site_plan_revision', 'Revision of the tracking plan in use, 0 for none', ['site'])
  const requests = metrics.counter('http_requests_total', 'Requests by route and status', ['route', 'status'])
  const known = new Map<string, SiteMetrics>()
  const series = new Map<string, { inc(): void }>()

  /** First come, first kept: a site that moved between its own series and `other` would make both go back. */
  function ofSite(siteId: string): SiteMetrics {
    const there = known.get(siteId)
    if (there) return there
    const site = known.size < maxSites ? siteId : 'other'
    const made = known.get(site) ?? forLabel(site)
    if (known.size < maxSites || site === 'other') known.set(site, made)
    return made
  }

  function forLabel(site: string): SiteMetrics {
    const [requests, bytes] = [requestsOfSites.labels(site), bytesOfSites.labels(site)]
    const good = acceptedOfSites.labels(site)
    return {
      request(size) {
        requests.inc()
        bytes.inc(size)
      },
      accepted(messages) {
        accepted.inc(messages)
        good.inc(messages)
      },
      rejected(code, messages = 1) {
        rejected.inc({ code }, messages)
        rejectedOfSites.inc({ site, code }, messages)
      },
      violated(code, messages = 1) {
        violatedOfSites.inc({ site, code }, messages)
      },
    }
  }

  return {
    registry: metrics.registry,
    /** The text that Prometheus reads. */
    text() {
      inFlightRequests.set(inFlight.requests())
      inFlightBytes.set(inFlight.bytes())
      return metrics.registry.metrics()
    },
    ofSite,
    /** Sites beyond the first have no plan of their own to show. */
    planInUse(siteId: string, revision: number) {
      ofSite(siteId)
      if (known.has(siteId)) planOfSites.set({ site: siteId }, revision)
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

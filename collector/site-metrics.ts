import type { Metrics } from '@slotstream/runtime'

/** Counters of one site; no look-up by label for each message. */
export interface SiteMetrics {
  request(bytes: number): void
  accepted(messages: number): void
  /** `messages`: how many, default 1. */
  rejected(code: string, messages?: number): void
  /** Counts a message that was stored although it breaks the tracking plan. */
  violated(code: string, messages?: number): void
}

/** Series of sites: the first ones have series of their own, those that come later are counted together, as `other`. */
export interface SitesMetrics {
  ofSite(siteId: string): SiteMetrics
  /** Sites beyond the first have no plan of their own to show. */
  planInUse(siteId: string, revision: number): void
}

/**
 * Creates the counters by site, and those over all sites that count with them.
 *
 * @param maxSites sites with series of their own
 */
export function createSitesMetrics(metrics: Metrics, maxSites: number): SitesMetrics {
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
  const byLabel = new Map<string, SiteMetrics>()

  /** First come, first kept: a site that moved between its own series and `other` would make both go back. */
  function ofSite(siteId: string): SiteMetrics {
    const there = byLabel.get(siteId)
    if (there) return there
    const site = byLabel.size < maxSites ? siteId : 'other'
    const series = byLabel.get(site) ?? forLabel(site)
    if (byLabel.size < maxSites || site === 'other') byLabel.set(site, series)
    return series
  }

  function forLabel(site: string): SiteMetrics {
    const [requests, bytes] = [requestsOfSites.labels(site), bytesOfSites.labels(site)]
    const acceptedOfSite = acceptedOfSites.labels(site)
    return {
      request(size) {
        requests.inc()
        bytes.inc(size)
      },
      accepted(messages) {
        accepted.inc(messages)
        acceptedOfSite.inc(messages)
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
    ofSite,
    planInUse(siteId, revision) {
      ofSite(siteId)
      if (byLabel.has(siteId)) planOfSites.set({ site: siteId }, revision)
    },
  }
}

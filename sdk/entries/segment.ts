import '../segment/settings-of-url.js'
import './script.js'
import { ofDocument } from '../capture/of-document.js'
import { createAnalytics } from '../segment/analytics.js'

/**
 * The bundle in the place of Segment's: what `/analytics.js/v1/KEY/analytics.min.js` is. `window.analytics` calls this
 * package, and what Segment's snippet has queued there is replayed.
 */
const host = window as unknown as Record<string, unknown> & { slotstream: { debug(): unknown } }
const name = (ofDocument('currentScript') as HTMLScriptElement | null)?.dataset.globalSegmentAnalyticsKey || 'analytics'
// Its own property only: an element with that id is found under the name, too, but through the prototype.
const before = Object.hasOwn(host, name) ? host[name] : undefined

if ((before as { initialized?: unknown } | undefined)?.initialized)
  console.warn(`[slotstream] window.${name} is there already and stays`)
else {
  const { analytics, replay } = createAnalytics(() => host.slotstream.debug())
  host[name] = analytics
  if (Array.isArray(before)) for (const queued of [...before]) replay(queued)
}

import type { KV } from '@nats-io/kv'
import { parseSite, type Site } from '@slotstream/protocol'
import { type Log, type Nats, usableValue, watchBucket } from '@slotstream/runtime'

/**
 * Watches the sites. Calls `onSite` with each that there is, and with every change; undefined: it was deleted. What
 * can't be used is logged and changes nothing. Resolves when the present sites are known.
 */
export function watchSites(
  nats: Nats,
  sites: KV,
  onSite: (siteId: string, site: Site | undefined) => void,
  log: Log,
): ReturnType<typeof watchBucket> {
  return watchBucket(
    nats,
    sites,
    entry => {
      const site = entry.operation === 'PUT' ? usableValue('sites', entry, parseSite, log) : undefined
      if (site || entry.operation !== 'PUT') onSite(entry.key, site)
    },
    log,
  )
}

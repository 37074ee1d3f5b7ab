import { BUCKETS, parseSite } from '@slotstream/protocol'
import { type Installation, type Log, type Nats, parseEntry, skipEntry, watchBucket } from '@slotstream/runtime'
import type { Catalog } from './catalog.js'

/**
 * Watches the holdouts of all sites in the bucket `sites`. A site that cannot be used is logged and skipped, and its
 * previous holdout stays. Resolves when the current state is in effect.
 */
export async function watchHoldouts(
  nats: Nats,
  sites: Installation['buckets']['sites'],
  catalog: Pick<Catalog, 'setHoldout'>,
  log: Log,
): Promise<{ stop(): void }> {
  return watchBucket(
    nats,
    sites,
    entry => {
      if (entry.operation !== 'PUT') return catalog.setHoldout(entry.key, undefined)
      const parsed = parseEntry(entry, parseSite)
      if (parsed.ok) catalog.setHoldout(parsed.value.siteId, parsed.value.holdout)
      else skipEntry(log, BUCKETS.sites, { key: entry.key }, `the holdout before stays: ${parsed.reason}`)
    },
    log,
  )
}

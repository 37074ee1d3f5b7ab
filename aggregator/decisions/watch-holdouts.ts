import { BUCKETS, parseSite } from '@slotstream/protocol'
import { type Installation, type Log, type Nats, parseEntry, skipEntry, watchBucket } from '@slotstream/runtime'
import type { Catalog } from './catalog.js'

/**
 * Follows who is held out of which site, in the bucket `sites`. A site that can't be used is logged and skipped, and
 * what was known of it stays.
 *
 * @returns when the present state is in effect
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

import type { KV } from '@nats-io/kv'
import { BUCKETS, parseStoredExperiments, siteOfExperimentsKey } from '@slotstream/protocol'
import { type Log, type Nats, parseEntry, skipEntry, watchBucket } from '@slotstream/runtime'
import type { Catalog } from './catalog.js'

/**
 * Watches the experiments of all sites in the bucket `definitions`. A set that cannot be used is logged and skipped,
 * and the previous one stays. Resolves when the current state is in effect.
 */
export async function watchExperiments(
  nats: Nats,
  bucket: KV,
  catalog: Pick<Catalog, 'setExperiments'>,
  log: Log,
): Promise<{ stop(): void }> {
  return watchBucket(
    nats,
    bucket,
    entry => {
      const siteId = siteOfExperimentsKey(entry.key)
      if (siteId === undefined) return
      if (entry.operation !== 'PUT') return catalog.setExperiments(siteId, [])
      const parsed = parseEntry(entry, parseStoredExperiments)
      if (parsed.ok) return catalog.setExperiments(siteId, parsed.value)
      skipEntry(log, BUCKETS.definitions, { key: entry.key }, `the experiments before stay: ${parsed.reason}`)
    },
    log,
  )
}

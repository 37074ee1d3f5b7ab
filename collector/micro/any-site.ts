import type { Site } from '@slotstream/protocol'
import { createSites, type Sites } from '../sites.js'

/** Write keys that are remembered as sites of their own when any is taken. */
const MAX_SITES = 1_000

/**
 * Sites of a collector that has no bucket of them: one for each write key, with every origin allowed and all else by
 * default.
 *
 * @param writeKeys those there are; none: any that a client may send
 */
export function createAnySite(writeKeys: readonly string[]): Sites {
  const known = createSites()
  for (const writeKey of writeKeys) add(writeKey)

  function add(writeKey: string): Site {
    const site: Site = { siteId: writeKey, name: writeKey, writeKeys: [writeKey], allowedOrigins: ['*'], debug: true }
    known.apply({ key: writeKey, operation: 'PUT', json: <T>() => site as T })
    return site
  }

  return {
    ...known,
    byWriteKey(writeKey) {
      const site = known.byWriteKey(writeKey)
      if (site || writeKeys.length > 0 || known.list().length >= MAX_SITES) return site
      return add(writeKey)
    },
    allowsOrigin: () => true,
  }
}

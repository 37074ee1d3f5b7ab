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
  const sites = createSites()
  for (const writeKey of writeKeys) add(writeKey)

  function add(writeKey: string): Site {
    const site: Site = { siteId: writeKey, name: writeKey, writeKeys: [writeKey], allowedOrigins: ['*'], debug: true }
    sites.apply({ key: writeKey, operation: 'PUT', json: <T>() => site as T })
    return site
  }

  return {
    ...sites,
    byWriteKey(writeKey) {
      const site = sites.byWriteKey(writeKey)
      if (site || writeKeys.length > 0 || sites.list().length >= MAX_SITES) return site
      return add(writeKey)
    },
    allowsOrigin: () => true,
  }
}

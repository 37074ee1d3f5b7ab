import type { Site } from '@slotstream/protocol'
import type { Log } from '@slotstream/runtime'

/** Creates the function that says, once for each site without secret keys, what every client may do there. */
export function warningOfOpenSites(log: Pick<Log, 'warn'>): (site: Site) => void {
  const warned = new Set<string>()
  return ({ siteId, secretKeyHashes }) => {
    if (secretKeyHashes?.length || warned.has(siteId)) return
    warned.add(siteId)
    log.warn(
      { siteId },
      'this site has no secret keys, so its public write keys may send and ask for any userId without an anonymousId, and events of any age: give it secretKeys',
    )
  }
}

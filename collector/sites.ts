import type { KvEntry } from '@nats-io/kv'
import { MIN_SECRET_LENGTH, type Site } from '@slotstream/protocol'
import { hashOfKey } from './keys/secret-keys.js'

/** The sites there are, kept up to date from their bucket. */
export interface Sites {
  /** Applies an entry of the bucket `sites`. */
  apply(entry: Pick<KvEntry, 'key' | 'operation' | 'json'>): void
  byId(siteId: string): Site | undefined
  /** By a public key. */
  byWriteKey(writeKey: string): Site | undefined
  bySecretKey(secretKey: string): Site | undefined
  /** Whether any site's pages may come from this origin: all that a preflight can be asked. */
  allowsOrigin(origin: string): boolean
  /** Whether a site sets its visitors' id as a cookie and names this origin, so that the browser may send it along. */
  wantsCookies(origin: string): boolean
  list(): Site[]
}

/** @param onSite called with each site as it is now, when it is new or was changed */
export function createSites(onSite: (site: Site) => void = () => {}): Sites {
  const sites = new Map<string, Site>()
  let writeKeys = new Map<string, Site>()
  let secretKeys = new Map<string, Site>()
  return {
    apply(entry) {
      if (entry.operation === 'PUT') {
        const site = entry.json<Site>()
        sites.set(entry.key, site)
        onSite(site)
      } else sites.delete(entry.key)
      const all = [...sites.values()]
      writeKeys = new Map(all.flatMap(site => site.writeKeys.map(key => [key, site] as const)))
      secretKeys = new Map(all.flatMap(site => (site.secretKeyHashes ?? []).map(hash => [hash, site] as const)))
    },
    byId: siteId => sites.get(siteId),
    byWriteKey: writeKey => writeKeys.get(writeKey),
    bySecretKey: key =>
      secretKeys.size > 0 && key.length >= MIN_SECRET_LENGTH ? secretKeys.get(hashOfKey(key)) : undefined,
    allowsOrigin: origin => [...sites.values()].some(site => siteAllowsOrigin(site, origin)),
    wantsCookies: origin => [...sites.values()].some(site => site.enrichment?.idCookie && namesOrigin(site, origin)),
    list: () => [...sites.values()].sort((a, b) => (a.siteId < b.siteId ? -1 : 1)),
  }
}

/** Whether a site's pages may come from an origin. `*` allows any, also `null`, which files and sandboxes send. */
export function siteAllowsOrigin(site: Site, origin: string): boolean {
  const wanted = plain(origin)
  return site.allowedOrigins.some(allowed => allowed === '*' || plain(allowed) === wanted)
}

/** Whether a site names an origin itself: `*` doesn't. */
export function namesOrigin(site: Site, origin: string): boolean {
  const wanted = plain(origin)
  return site.allowedOrigins.some(allowed => plain(allowed) === wanted)
}

function plain(origin: string): string {
  return origin.toLowerCase().replace(/\/$/, '')
}

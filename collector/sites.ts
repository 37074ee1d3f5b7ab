import type { KvEntry } from '@nats-io/kv'
import { MIN_SECRET_LENGTH, parseSite, type Site } from '@slotstream/protocol'
import { parseEntry } from '@slotstream/runtime'
import { hashOfKey } from './keys/secret-keys.js'

/** The sites there are, kept up to date from their bucket. */
export interface Sites {
  /** Applies an entry of the bucket `sites`. One that can't be used changes nothing. */
  apply(entry: Pick<KvEntry, 'key' | 'operation' | 'json'>): void
  byId(siteId: string): Site | undefined
  /** By a public key. */
  byWriteKey(writeKey: string): Site | undefined
  bySecretKey(secretKey: string): Site | undefined
  /** Tells whether any site's pages may come from this origin: all that a preflight can be asked. */
  allowsOrigin(origin: string): boolean
  /**
   * Tells whether a site sets its visitors' id as a cookie and names this origin, so that the browser may send it
   * along.
   */
  wantsCookies(origin: string): boolean
  list(): Site[]
}

export interface SitesEvents {
  /** Called with each site as it is now, when it is new or was changed. */
  onSite?: (site: Site) => void
  /** Called with the key of an entry that can't be used, and why. */
  onMisfit?: (key: string, reason: string) => void
}

/** Creates the list of sites, empty until entries are applied. */
export function createSites({ onSite = () => {}, onMisfit = () => {} }: SitesEvents = {}): Sites {
  const sites = new Map<string, Site>()
  let writeKeys = new Map<string, Site>()
  let secretKeys = new Map<string, Site>()
  return {
    apply(entry) {
      if (entry.operation === 'PUT') {
        const parsed = parseEntry(entry, parseSite)
        if (!parsed.ok) return onMisfit(entry.key, parsed.reason)
        if (parsed.value.siteId !== entry.key) return onMisfit(entry.key, 'siteId is another than the key')
        sites.set(entry.key, parsed.value)
        onSite(parsed.value)
      } else sites.delete(entry.key)
      // Should a bucket have a key twice, all collectors take it for the same site's, the first one's by its id.
      const all = [...sites.values()].sort(byId).reverse()
      writeKeys = new Map(all.flatMap(site => site.writeKeys.map(key => [key, site] as const)))
      secretKeys = new Map(all.flatMap(site => (site.secretKeyHashes ?? []).map(hash => [hash, site] as const)))
    },
    byId: siteId => sites.get(siteId),
    byWriteKey: writeKey => writeKeys.get(writeKey),
    bySecretKey: key =>
      secretKeys.size > 0 && key.length >= MIN_SECRET_LENGTH ? secretKeys.get(hashOfKey(key)) : undefined,
    allowsOrigin: origin => [...sites.values()].some(site => siteAllowsOrigin(site, origin)),
    wantsCookies: origin => [...sites.values()].some(site => site.enrichment?.idCookie && namesOrigin(site, origin)),
    list: () => [...sites.values()].sort(byId),
  }
}

function byId(site: Site, other: Site): number {
  return site.siteId < other.siteId ? -1 : 1
}

/**
 * Tells whether a site's pages may come from an origin. `*` allows any, also `null`, which files and sandboxes send.
 */
export function siteAllowsOrigin(site: Site, origin: string): boolean {
  const plainOrigin = plain(origin)
  return site.allowedOrigins.some(allowed => allowed === '*' || plain(allowed) === plainOrigin)
}

/** Tells whether a site names an origin itself: `*` doesn't. */
export function namesOrigin(site: Site, origin: string): boolean {
  const plainOrigin = plain(origin)
  return site.allowedOrigins.some(allowed => plain(allowed) === plainOrigin)
}

function plain(origin: string): string {
  return origin.toLowerCase().replace(/\/$/, '')
}

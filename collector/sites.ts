import type { KvEntry } from '@nats-io/kv'
import { parseSite, type Site } from '@slotstream/protocol'
import { parseEntry } from '@slotstream/runtime'

/** The sites there are, kept up to date from their bucket. */
export interface Sites {
  /** Applies an entry of the bucket `sites`. One that can't be used changes nothing. */
  apply(entry: Pick<KvEntry, 'key' | 'operation' | 'json'>): void
  byId(siteId: string): Site | undefined
  byWriteKey(writeKey: string): Site | undefined
  /** Whether any site's pages may come from this origin: all that a preflight can be asked. */
  allowsOrigin(origin: string): boolean
  /** Whether a site sets its visitors' id as a cookie and names this origin, so that the browser may send it along. */
  wantsCookies(origin: string): boolean
  list(): Site[]
}

/** @param onMisfit is called with the key of an entry that can't be used, and why */
export function createSites(onMisfit: (key: string, reason: string) => void = () => {}): Sites {
  const sites = new Map<string, Site>()
  let writeKeys = new Map<string, Site>()
  return {
    apply(entry) {
      if (entry.operation === 'PUT') {
        const parsed = parseEntry(entry, parseSite)
        if (!parsed.ok) return onMisfit(entry.key, parsed.reason)
        if (parsed.value.siteId !== entry.key) return onMisfit(entry.key, 'siteId is another than the key')
        sites.set(entry.key, parsed.value)
      } else sites.delete(entry.key)
      writeKeys = new Map([...sites.values()].flatMap(site => site.writeKeys.map(key => [key, site] as const)))
    },
    byId: siteId => sites.get(siteId),
    byWriteKey: writeKey => writeKeys.get(writeKey),
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

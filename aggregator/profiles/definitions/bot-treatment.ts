import type { KV } from '@nats-io/kv'
import { isLikeBot } from '@slotstream/core'
import type { Profile } from '@slotstream/protocol'
import type { Log, Nats } from '@slotstream/runtime'
import { watchSites } from '../../watch-sites.js'
import type { SitesDefinitions } from './compiled-definitions.js'

/** Treatment of visitors who seem to be programs, by site. */
export interface BotTreatments {
  /** Returns all sites. */
  siteIds(): Iterable<string>
  /** Returns whether a site wants them in segments and previews. */
  areIncluded(siteId: string): boolean
  stop(): void
}

/** Returns the definitions of sites with what each wants of such visitors. */
export function withBotTreatment(
  definitions: SitesDefinitions,
  bots: Pick<BotTreatments, 'areIncluded' | 'siteIds'>,
): SitesDefinitions {
  return {
    ...definitions,
    // Also those that declare nothing have built-in features.
    siteIds: () => [...new Set([...definitions.siteIds(), ...bots.siteIds()])],
    of(siteId) {
      const ofSite = definitions.of(siteId)
      return bots.areIncluded(siteId) ? { ...ofSite, includesBots: true } : ofSite
    },
  }
}

/** Returns the function that says whether what a visitor did is not to count, because it seems to be a program. */
export function leavesOut(definitions: Pick<SitesDefinitions, 'of'>): (profile: Profile) => boolean {
  return profile => {
    const { features, includesBots = false } = definitions.of(profile.siteId)
    return !includesBots && isLikeBot(profile, features)
  }
}

/** Watches what the sites want. Resolves when the present sites are known. */
export async function watchBotTreatment(nats: Nats, sites: KV, log: Log): Promise<BotTreatments> {
  const siteIds = new Set<string>()
  const including = new Set<string>()
  const watching = await watchSites(
    nats,
    sites,
    (siteId, site) => {
      if (site) siteIds.add(siteId)
      else siteIds.delete(siteId)
      if (site?.bots === 'include') including.add(siteId)
      else including.delete(siteId)
    },
    log,
  )
  return { siteIds: () => siteIds, areIncluded: siteId => including.has(siteId), stop: () => watching.stop() }
}

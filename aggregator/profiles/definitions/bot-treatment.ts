import type { KV } from '@nats-io/kv'
import type { Log, Nats } from '@slotstream/runtime'
import { watchSites } from '../../watch-sites.js'
import type { SitesDefinitions } from './compiled-definitions.js'

/** Treatment of visitors who seem to be programs, by site. */
export interface BotTreatments {
  /** Whether a site wants them in segments and previews. */
  areIncluded(siteId: string): boolean
  stop(): void
}

/** Returns the definitions of sites with what each wants of such visitors. */
export function withBotTreatment(
  definitions: SitesDefinitions,
  bots: Pick<BotTreatments, 'areIncluded'>,
): SitesDefinitions {
  return {
    ...definitions,
    of(siteId) {
      const ofSite = definitions.of(siteId)
      return bots.areIncluded(siteId) ? { ...ofSite, includesBots: true } : ofSite
    },
  }
}

/** Watches what the sites want. Resolves when the present sites are known. */
export async function watchBotTreatment(nats: Nats, sites: KV, log: Log): Promise<BotTreatments> {
  const including = new Set<string>()
  const watching = await watchSites(
    nats,
    sites,
    (siteId, site) => {
      if (site?.bots === 'include') including.add(siteId)
      else including.delete(siteId)
    },
    log,
  )
  return { areIncluded: siteId => including.has(siteId), stop: () => watching.stop() }
}

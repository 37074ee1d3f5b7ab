import type { KV } from '@nats-io/kv'
import { parseSite } from '@slotstream/protocol'
import { type Log, type Nats, usableValue, watchBucket } from '@slotstream/runtime'

/** Treatment of visitors who seem to be programs, by site. */
export interface BotTreatments {
  /** Whether a site wants them in segments and previews. */
  areIncluded(siteId: string): boolean
  stop(): void
}

/** Watches what the sites want. Resolves when the present sites are known. */
export async function watchBotTreatment(nats: Nats, sites: KV, log: Log): Promise<BotTreatments> {
  const including = new Set<string>()
  const watching = await watchBucket(
    nats,
    sites,
    entry => {
      const site = entry.operation === 'PUT' ? usableValue('sites', entry, parseSite, log) : undefined
      if (entry.operation === 'PUT' && !site) return
      if (site?.bots === 'include') including.add(entry.key)
      else including.delete(entry.key)
    },
    log,
  )
  return { areIncluded: siteId => including.has(siteId), stop: () => watching.stop() }
}

import type { Installation, Log, Nats } from '@slotstream/runtime'
import type { BuiltInEdition } from '../definitions/built-in-edition.js'
import type { SitesDefinitions } from '../definitions/compiled-definitions.js'
import { type ServedDefinitions, serveDefinitions } from '../definitions/served-definitions.js'
import type { ProfileGenerations } from '../profile-generations.js'
import { type FillRecords, watchFillRecords } from './fill-records.js'

/** The definitions of sites, kept up to date, with how far the history of their features is counted. */
export interface FeatureServing {
  records: FillRecords
  /** Names the profiles that have to follow. Until then no generation answers but the installation's. */
  attach(generations: Pick<ProfileGenerations, 'generation' | 'all'>): void
  /** Returns when what is served of a site's features changed last, in milliseconds since the epoch; 0: never. */
  changedAt(siteId: string): number
  /** Looks again at all sites: another generation answers. */
  refresh(): void
  stop(): void
}

/**
 * Follows what sites declare, and how far the history of their features is counted.
 *
 * @returns when the present state is in effect
 */
export async function serveFeatures(
  { nats, installation, log }: { nats: Nats; installation: Installation; log: Log },
  definitions: SitesDefinitions,
  { since }: Pick<BuiltInEdition, 'since'>,
): Promise<FeatureServing> {
  const { partitions, buckets } = installation
  let generations: Pick<ProfileGenerations, 'generation' | 'all'> | undefined
  let served: ServedDefinitions | undefined
  const deps = { nats, meta: buckets.meta, partitions, log }
  const records = await watchFillRecords(deps, siteId => served?.refresh(siteId))
  const generation = () => generations?.generation ?? installation.generation
  const changes = new Map<string, number>()
  const builtIn = Math.max(0, ...Object.values(since))
  const following = { nats, bucket: buckets.definitions, definitions, records, builtIn, generation, log }
  served = await serveDefinitions(following, (siteId, former) => {
    changes.set(siteId, Date.now())
    for (const profileSet of generations?.all() ?? []) profileSet.featuresChanged(siteId, former)
  })
  return {
    records,
    attach(attached) {
      generations = attached
    },
    changedAt: siteId => changes.get(siteId) ?? 0,
    refresh: () => served.refresh(),
    stop() {
      served.stop()
      records.stop()
    },
  }
}

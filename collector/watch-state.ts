import type { COLLECTOR_BUCKETS } from '@slotstream/protocol'
import {
  type Installation,
  type Log,
  type Nats,
  NO_TOMBSTONES,
  type Tombstones,
  watchBucket,
  watchTombstones,
} from '@slotstream/runtime'
import type { Plans } from './plan/plans.js'
import type { PublicFeatures } from './public-features.js'
import type { Sites } from './sites.js'
import type { ContentCategories } from './slots/content-categories.js'

/** The state of an installation that a collector follows in NATS. */
export interface State {
  /** Tells whether sites, plans, content, definitions and deletions are known as they are now. */
  isLoaded(): boolean
  tombstones(): Tombstones
  stop(): Promise<void>
}

export interface StateDeps {
  nats: Nats
  installation: Installation<(typeof COLLECTOR_BUCKETS)[number]>
  sites: Pick<Sites, 'apply'>
  plans: Pick<Plans, 'apply' | 'settled'>
  categories: Pick<ContentCategories, 'apply'>
  publicFeatures: Pick<PublicFeatures, 'apply'>
  log: Log
}

/** Follows the buckets of sites, plans, content, definitions and deletions. */
export function watchState(deps: StateDeps): State {
  const { nats, installation, sites, plans, categories, publicFeatures, log } = deps
  const { buckets } = installation
  let isLoaded = false
  let tombstones: Tombstones = NO_TOMBSTONES
  const watching = Promise.all([
    watchBucket(nats, buckets.sites, sites.apply, log),
    watchBucket(nats, buckets.plans, plans.apply, log),
    watchBucket(nats, buckets.catalog, categories.apply, log),
    watchBucket(nats, buckets.definitions, publicFeatures.apply, log),
    watchTombstones(nats, installation, log).then(watched => {
      tombstones = watched
      return watched
    }),
  ])
  void watching.then(plans.settled).then(() => {
    isLoaded = true
  })
  return {
    isLoaded: () => isLoaded,
    tombstones: () => tombstones,
    async stop() {
      if (isLoaded) for (const watch of await watching) watch.stop()
    },
  }
}

import type { SiteRouteDeps } from '../route-deps.js'
import type { CheckMeaning } from './check-meaning.js'
import type { ReadExperiments } from './slots-in-use.js'
import type { CatalogStore } from './store/catalog-store.js'

/** Dependencies of the routes of catalogs. */
export interface CatalogRouteDeps extends SiteRouteDeps {
  catalog: CatalogStore
  checkMeaning: CheckMeaning
  experimentStore: ReadExperiments
}

import type { SiteRouteParts } from '../route-parts.js'
import type { CheckMeaning } from './check-meaning.js'
import type { CatalogStore } from './store/catalog-store.js'

/** Dependency of the routes of catalogs. */
export interface CatalogRouteParts extends SiteRouteParts {
  catalog: CatalogStore
  checkMeaning: CheckMeaning
}

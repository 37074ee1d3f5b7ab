import type { Site } from '@slotstream/protocol'
import type { Request } from 'express'

/** A request of a site's route. */
export type SiteRequest<Names extends string = never> = Request<{ siteId: string } & Record<Names, string>>

/** Dependency that the routes of a site share. */
export interface SiteRouteDeps {
  /**
   * Returns the site of a request.
   *
   * @throws Failure `not_found` when there is none
   */
  siteOf: (request: SiteRequest) => Site
}

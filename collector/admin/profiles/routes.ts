import { isVisitorId } from '@slotstream/protocol'
import type { Router } from 'express'
import { Failure } from '../../http/failure.js'
import type { SiteRouteParts } from '../route-parts.js'
import type { ReadProfiles } from './read-profiles.js'

export interface ProfileRouteParts extends SiteRouteParts {
  readProfiles: ReadProfiles
}

/** Adds `/sites/:siteId/profiles/:visitorId`. */
export function addProfileRoutes(router: Router, { siteOf, readProfiles }: ProfileRouteParts): void {
  router.get('/sites/:siteId/profiles/:visitorId', async (request, response) => {
    const { siteId } = siteOf(request)
    const { visitorId } = request.params
    const [profile] = isVisitorId(visitorId) ? await readProfiles(siteId, [visitorId]) : []
    if (!profile) throw new Failure('not_found', 'there is no profile of this visitor')
    response.json(profile)
  })
}

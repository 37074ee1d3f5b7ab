import { isVisitorId, MAX_PROFILES_READ } from '@slotstream/protocol'
import type { Router } from 'express'
import { Failure } from '../../http/failure.js'
import { fieldsOf, objectOf } from '../admin-request.js'
import type { SiteRouteParts } from '../route-parts.js'
import type { ReadProfiles } from './read-profiles.js'

export interface ProfileRouteParts extends SiteRouteParts {
  readProfiles: ReadProfiles
}

/** Adds `/sites/:siteId/profiles/:visitorId`, and many profiles at once. */
export function addProfileRoutes(router: Router, { siteOf, readProfiles }: ProfileRouteParts): void {
  router.post('/sites/:siteId/profiles\\:batch', async (request, response) => {
    const { siteId } = siteOf(request)
    const { visitors } = fieldsOf(await objectOf(request), ['visitors'])
    if (!Array.isArray(visitors) || visitors.length > MAX_PROFILES_READ || !visitors.every(isVisitorId))
      throw new Failure('malformed', `send {"visitors": […]} with up to ${MAX_PROFILES_READ} ids`)
    const profiles = await readProfiles(siteId, visitors)
    response.json({ profiles: profiles.map(profile => profile ?? null) })
  })
  router.get('/sites/:siteId/profiles/:visitorId', async (request, response) => {
    const { siteId } = siteOf(request)
    const { visitorId } = request.params
    const [profile] = isVisitorId(visitorId) ? await readProfiles(siteId, [visitorId]) : []
    if (!profile) throw new Failure('not_found', 'there is no profile of this visitor')
    response.json(profile)
  })
}

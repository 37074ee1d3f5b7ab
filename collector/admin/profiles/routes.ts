import { isId, isVisitorId, MAX_PREVIEW_BYTES, MAX_PROFILES_READ, shown, shownFaults } from '@slotstream/protocol'
import type { Router } from 'express'
import { Failure } from '../../http/failure.js'
import { fieldsOf, objectOf } from '../admin-request.js'
import type { SiteRequest, SiteRouteDeps } from '../route-deps.js'
import type { PreviewSegment } from './preview-segment.js'
import type { ReadContentFeatures } from './read-content-features.js'
import type { ReadProfiles } from './read-profiles.js'
import { type ReadValueHistory, valueHistoryRequest } from './read-value-history.js'

export interface ProfileRouteDeps extends SiteRouteDeps {
  readProfiles: ReadProfiles
  previewSegment: PreviewSegment
  readContentFeatures: ReadContentFeatures
  readValueHistory: ReadValueHistory
}

/**
 * Adds `/sites/:siteId/profiles/:visitorId` with the history of its values, many profiles at once, who would be in a
 * segment, and the features of a content.
 */
export function addProfileRoutes(router: Router, deps: ProfileRouteDeps): void {
  const { siteOf, readProfiles, previewSegment, readContentFeatures, readValueHistory } = deps

  router.post('/sites/:siteId/profiles\\:batch', async (request, response) => {
    const { siteId } = siteOf(request)
    const { visitors } = fieldsOf(await objectOf(request), ['visitors'])
    const faults = visitorFaults(visitors)
    if (faults.length > 0)
      throw new Failure('malformed', `send {"visitors": […]} with up to ${MAX_PROFILES_READ} ids`, faults)
    const profiles = await readProfiles(siteId, visitors as string[])
    response.json({ profiles: profiles.map(profile => profile ?? null) })
  })
  router.post('/sites/:siteId/segments/preview', async (request: SiteRequest, response) => {
    const { siteId } = siteOf(request)
    const { where } = fieldsOf(await objectOf(request), ['where'])
    if (Buffer.byteLength(JSON.stringify(where ?? null)) > MAX_PREVIEW_BYTES)
      throw new Failure('malformed', `where has more than ${MAX_PREVIEW_BYTES} bytes`, [
        `where: has more than ${MAX_PREVIEW_BYTES} bytes`,
      ])
    response.json(await previewSegment(siteId, where ?? null))
  })
  router.get('/sites/:siteId/profiles/:visitorId', async (request, response) => {
    const { siteId } = siteOf(request)
    response.json(await profileOf(siteId, request.params.visitorId))
  })
  router.get('/sites/:siteId/profiles/:visitorId/history', async (request, response) => {
    const { siteId } = siteOf(request)
    const profile = await profileOf(siteId, request.params.visitorId)
    response.json(await readValueHistory(valueHistoryRequest(siteId, profile, request.query)))
  })

  router.get('/sites/:siteId/content/:id/features', async (request, response) => {
    const { siteId } = siteOf(request)
    const { id } = request.params
    if (!isId(id)) throw new Failure('malformed', 'the id of a content has 1 to 256 characters')
    response.json({ id, features: await readContentFeatures(siteId, id) })
  })

  async function profileOf(siteId: string, visitorId: string): Promise<object> {
    const [profile] = isVisitorId(visitorId) ? await readProfiles(siteId, [visitorId]) : []
    if (!profile) throw new Failure('not_found', 'there is no profile of this visitor')
    return profile
  }
}

function visitorFaults(visitors: unknown): string[] {
  if (!Array.isArray(visitors)) return [`visitors: must be a list of ids, not ${shown(visitors)}`]
  if (visitors.length > MAX_PROFILES_READ)
    return [`visitors: has ${visitors.length} ids, ${MAX_PROFILES_READ} are allowed`]
  return shownFaults(
    visitors.flatMap((id, index) =>
      isVisitorId(id) ? [] : [`visitors[${index}]: must be the id of a visitor, not ${shown(id)}`],
    ),
  )
}

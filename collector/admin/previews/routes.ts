import { MAX_PREVIEW_TOKEN_LENGTH, PREVIEW_PARAMETER } from '@slotstream/protocol'
import type { Log, Privacy } from '@slotstream/runtime'
import type { Router } from 'express'
import { Failure } from '../../http/failure.js'
import { createPreviewTokens } from '../../keys/preview-tokens.js'
import { objectOf, valid } from '../admin-request.js'
import type { SiteRequest, SiteRouteDeps } from '../route-deps.js'
import { checkPreviewLink } from './check-preview-link.js'

export interface PreviewRouteDeps extends SiteRouteDeps {
  privacy: Pick<Privacy, 'seal' | 'unseal'>
  log: Log
}

/** Adds `/sites/:siteId/preview-links`: links that show pages as a visitor sees them, or with chosen content. */
export function addPreviewRoutes(router: Router, { siteOf, privacy, log }: PreviewRouteDeps): void {
  const previewTokens = createPreviewTokens(privacy, Date.now)
  router.post('/sites/:siteId/preview-links', async (request: SiteRequest, response) => {
    const { siteId } = siteOf(request)
    const { link, url } = valid(checkPreviewLink(await objectOf(request), siteId, Date.now()))
    const token = previewTokens.sign(link)
    if (token.length > MAX_PREVIEW_TOKEN_LENGTH)
      throw new Failure('malformed', 'the link would be too long: name fewer slots or contents in show')
    url?.searchParams.set(PREVIEW_PARAMETER, token)
    log.info({ siteId }, 'a preview link was made')
    response.json({ token, expiresAt: new Date(link.expiresAt).toISOString(), ...(url && { url: url.href }) })
  })
}

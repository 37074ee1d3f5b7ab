import { type Explanation, explainDecision } from '@slotstream/core'
import { type DecisionRecord, MAX_NAME_LENGTH } from '@slotstream/protocol'
import type { Request, Router } from 'express'
import { Failure } from '../../http/failure.js'
import type { Sites } from '../../sites.js'
import { nameContents, type VersionDeps } from './name-contents.js'
import type { ReadRecord } from './read-record.js'

export interface ExplainRouteDeps extends VersionDeps {
  sites: Pick<Sites, 'byId'>
  readRecord: ReadRecord
}

/** A decision with its explanation. */
export interface ExplainedDecision extends Explanation {
  decision: DecisionRecord
}

/** Adds `/decisions/:id/explain`: why a decision was made, from its record. */
export function addExplainRoute(router: Router, deps: ExplainRouteDeps): void {
  router.get('/decisions/:id/explain', async (request: Request<{ id: string }>, response) => {
    const siteId = siteIn(request, deps.sites)
    const { id: decisionId } = request.params
    if (decisionId.length > MAX_NAME_LENGTH || decisionId.includes('\0'))
      throw new Failure('malformed', `the id of a decision has at most ${MAX_NAME_LENGTH} characters`)
    const decision = await deps.readRecord({ siteId, decisionId })
    const alone = explainDecision(decision)
    const version = alone.unnamed > 0 ? await nameContents(deps, siteId, decision) : undefined
    const explained: ExplainedDecision = { decision, ...(version ? explainDecision(decision, version) : alone) }
    response.json(explained)
  })
}

function siteIn({ query }: Pick<Request, 'query'>, sites: Pick<Sites, 'byId'>): string {
  const { site } = query
  if (typeof site !== 'string') throw new Failure('malformed', 'name the site of the decision: …/explain?site=SITE')
  if (!sites.byId(site))
    throw new Failure('not_found', `there is no site ${site}: make it with PUT /v1/admin/sites/${site}`)
  return site
}

import type { Publisher, Tombstones } from '@slotstream/runtime'
import type { Router } from 'express'
import { Failure } from '../../http/failure.js'
import { forgottenDecision } from '../../intake/accept/forgotten.js'
import { decisionPublications } from '../../intake/publish/publications.js'
import { publishAll } from '../../intake/publish/publish-all.js'
import type { CollectorMetrics } from '../../metrics.js'
import { fieldsOf, objectOf } from '../admin-request.js'
import type { SiteRouteDeps } from '../route-deps.js'
import { addExplainRoute, type ExplainRouteDeps } from './explain.js'
import { importDecisions } from './import-decisions.js'

export interface DecisionRouteDeps extends SiteRouteDeps, ExplainRouteDeps {
  /** Deletions of persons: decisions from before one are rejected. */
  tombstones: () => Tombstones
  publisher: Publisher
  partitions: number
  metrics: CollectorMetrics
}

/** Adds `/sites/:siteId/decisions/import` and `/decisions/:id/explain`. */
export function addDecisionRoutes(router: Router, deps: DecisionRouteDeps): void {
  const { siteOf, tombstones, publisher, partitions, metrics } = deps
  addExplainRoute(router, deps)
  router.post('/sites/:siteId/decisions/import', async (request, response) => {
    const { siteId } = siteOf(request)
    const { decisions } = fieldsOf(await objectOf(request), ['decisions'])
    if (!Array.isArray(decisions)) throw new Failure('malformed', 'send {"decisions": [decision, …]}')
    const isForgotten = forgottenDecision(tombstones(), siteId)
    const { envelopes, imported, rejected } = importDecisions(decisions, siteId, Date.now(), isForgotten)
    const publications = envelopes.flatMap(envelope => decisionPublications(envelope, partitions))
    await publishAll(publisher, publications, metrics)
    response.json({ imported, rejected })
  })
}

import type { Site } from '@slotstream/protocol'
import express, { type ErrorRequestHandler, type RequestHandler, type Router } from 'express'
import { Failure, unavailable } from '../http/failure.js'
import type { AdminGate } from '../safety/admin-gate.js'
import type { CatalogRouteParts } from './catalog/parts.js'
import { addCatalogRoutes } from './catalog/routes.js'
import { addDecisionRoutes, type DecisionRouteParts } from './decisions/routes.js'
import { addDefinitionRoutes, type DefinitionRouteParts } from './definitions/routes.js'
import { addExperimentRoutes, type ExperimentRouteParts } from './experiments/routes.js'
import { addMergeRoutes, type MergeRouteParts } from './people/merge-routes.js'
import { addPeopleRoutes, type PeopleRouteParts } from './people/routes.js'
import { addPlanRoutes, type PlanRouteParts } from './plan/routes.js'
import { addPreviewRoutes, type PreviewRouteParts } from './previews/routes.js'
import { addProfileRoutes, type ProfileRouteParts } from './profiles/routes.js'
import { addReplayRoute, type ReplayRouteParts } from './replay-rejected.js'
import type { SiteRequest, SiteRouteParts } from './route-parts.js'
import { addSiteRoutes, type SitesRouteParts } from './sites/routes.js'
import { addWebhookRoutes, type WebhookRouteParts } from './webhooks/routes.js'

/** Names of what a bucket throws while the broker is away or about to be back; not all of the classes are exported. */
const OUTAGES = ['JetStreamNotEnabled', 'TimeoutError', 'RequestError', 'NoResponders', 'ConnectionError']

type RouteParts = SitesRouteParts &
  CatalogRouteParts &
  ProfileRouteParts &
  DecisionRouteParts &
  DefinitionRouteParts &
  ExperimentRouteParts &
  PlanRouteParts &
  ReplayRouteParts &
  PeopleRouteParts &
  MergeRouteParts &
  WebhookRouteParts &
  PreviewRouteParts

export interface AdminParts extends Omit<RouteParts, keyof SiteRouteParts> {
  gate: AdminGate
  /** Answers with the status of the whole installation. */
  pipeline: RequestHandler
  /** Whether the sites and the stream can be reached now. */
  ready: () => boolean
}

/** Creates the router of `/v1/admin/…`: each folder beside this file adds the routes of its subject. */
export function adminRoutes(adminParts: AdminParts): Router {
  const { gate, sites, pipeline, ready } = adminParts
  const parts = { ...adminParts, siteOf }
  const router = express.Router()
  router.use((request, _response, next) => {
    gate.check(request)
    if (!ready()) throw unavailable()
    next()
  })
  router.get('/pipeline', pipeline)
  addSiteRoutes(router, parts)
  addCatalogRoutes(router, parts)
  addProfileRoutes(router, parts)
  addDecisionRoutes(router, parts)
  addDefinitionRoutes(router, parts)
  addExperimentRoutes(router, parts)
  addPlanRoutes(router, parts)
  addReplayRoute(router, parts)
  addPeopleRoutes(router, parts)
  addMergeRoutes(router, parts)
  addWebhookRoutes(router, parts)
  addPreviewRoutes(router, parts)

  const onError: ErrorRequestHandler = (error, _request, _response, next) =>
    next(error instanceof Error && OUTAGES.includes(error.name) ? unavailable() : error)
  router.use(onError)
  return router

  function siteOf(request: SiteRequest): Site {
    const { siteId } = request.params
    const site = sites.byId(siteId)
    if (!site) throw new Failure('not_found', `there is no site ${siteId}: make it with PUT /v1/admin/sites/${siteId}`)
    return site
  }
}

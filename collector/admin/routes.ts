import type { Site } from '@slotstream/protocol'
import express, { type ErrorRequestHandler, type RequestHandler, type Router } from 'express'
import { Failure, unavailable } from '../http/failure.js'
import type { AdminGate } from '../safety/admin-gate.js'
import type { CatalogRouteDeps } from './catalog/route-deps.js'
import { addCatalogRoutes } from './catalog/routes.js'
import { addDecisionRoutes, type DecisionRouteDeps } from './decisions/routes.js'
import { addDefinitionRoutes, type DefinitionRouteDeps } from './definitions/routes.js'
import { addExperimentRoutes, type ExperimentRouteDeps } from './experiments/routes.js'
import { addMergeRoutes, type MergeRouteDeps } from './people/merge-routes.js'
import { addPeopleRoutes, type PeopleRouteDeps } from './people/routes.js'
import { addPlanRoutes, type PlanRouteDeps } from './plan/routes.js'
import { addPreviewRoutes, type PreviewRouteDeps } from './previews/routes.js'
import { addProfileRoutes, type ProfileRouteDeps } from './profiles/routes.js'
import { addReplayRoute, type ReplayRouteDeps } from './replay-rejected.js'
import type { SiteRequest, SiteRouteDeps } from './route-deps.js'
import { addSiteRoutes, type SitesRouteDeps } from './sites/routes.js'
import { addWebhookRoutes, type WebhookRouteDeps } from './webhooks/routes.js'

/** Names of what a bucket throws while the broker is away or about to be back; not all of the classes are exported. */
const OUTAGES = ['JetStreamNotEnabled', 'TimeoutError', 'RequestError', 'NoResponders', 'ConnectionError']

type RouteDeps = SitesRouteDeps &
  CatalogRouteDeps &
  ProfileRouteDeps &
  DecisionRouteDeps &
  DefinitionRouteDeps &
  ExperimentRouteDeps &
  PlanRouteDeps &
  ReplayRouteDeps &
  PeopleRouteDeps &
  MergeRouteDeps &
  WebhookRouteDeps &
  PreviewRouteDeps

export interface AdminDeps extends Omit<RouteDeps, keyof SiteRouteDeps> {
  gate: AdminGate
  /** Answers with the status of the whole installation. */
  pipeline: RequestHandler
  /** Tells whether the sites and the stream can be reached now. */
  ready: () => boolean
}

/** Creates the router of `/v1/admin/…`: each folder beside this file adds the routes of its subject. */
export function adminRoutes(adminDeps: AdminDeps): Router {
  const { gate, sites, pipeline, ready } = adminDeps
  const deps = { ...adminDeps, siteOf }
  const router = express.Router()
  router.use((request, _response, next) => {
    gate.check(request)
    if (!ready()) throw unavailable()
    next()
  })
  router.get('/pipeline', pipeline)
  addSiteRoutes(router, deps)
  addCatalogRoutes(router, deps)
  addProfileRoutes(router, deps)
  addDecisionRoutes(router, deps)
  addDefinitionRoutes(router, deps)
  addExperimentRoutes(router, deps)
  addPlanRoutes(router, deps)
  addReplayRoute(router, deps)
  addPeopleRoutes(router, deps)
  addMergeRoutes(router, deps)
  addWebhookRoutes(router, deps)
  addPreviewRoutes(router, deps)

  router.use(rejectMethod(router))

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

/** Creates the handler of requests that no route took: of a path that exists it says which methods are possible. */
function rejectMethod(router: Router): RequestHandler {
  return ({ path, method }, response, next) => {
    const layers = router.stack as unknown as Layer[]
    const routes = layers.flatMap(layer => (layer.route && layer.match(path) ? layer.route : []))
    const methods = [...new Set(routes.flatMap(route => Object.keys(route.methods)))].map(name => name.toUpperCase())
    if (methods.length === 0) return next()
    response.set('Allow', methods.join(', '))
    throw new Failure('method_not_allowed', `${method} is not possible here: use ${methods.join(' or ')}`)
  }
}

/** A layer of a router as Express has it; its types leave out how paths are matched. Methods are in lower case. */
interface Layer {
  route?: { methods: Record<string, boolean> }
  match(path: string): boolean
}

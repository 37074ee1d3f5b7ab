import { type Check, type Content, profileKey, type Site, type Slot } from '@slotstream/protocol'
import {
  type Buckets,
  type Log,
  type Nats,
  type Privacy,
  type Publisher,
  parseEntry,
  type Tombstones,
} from '@slotstream/runtime'
import express, { type ErrorRequestHandler, type Request, type RequestHandler, type Router } from 'express'
import type { Enrich } from '../enrich/enrich.js'
import { Failure, unavailable } from '../http/failure.js'
import { forgottenDecision } from '../intake/forgotten.js'
import { decisionPublications } from '../intake/publications.js'
import { publishAll } from '../intake/publish-all.js'
import { createSiteBucket } from '../keys/site-bucket.js'
import type { CollectorMetrics } from '../metrics.js'
import type { Plans } from '../plan/plans.js'
import type { AdminGate } from '../safety/admin-gate.js'
import type { Sites } from '../sites.js'
import { fieldsOf, objectOf, valid } from './admin-request.js'
import type { CatalogKind, CatalogStore } from './catalog-store.js'
import { addDefinitionRoutes, type DefinitionRouteParts } from './definitions/routes.js'
import { importDecisions } from './import-decisions.js'
import { addPeopleRoutes } from './people/routes.js'
import { addPlanRoutes } from './plan-routes.js'
import type { PlanStore } from './plan-store.js'
import { addReplayRoute } from './replay-rejected.js'
import { viewOf } from './site-keys.js'
import { createStoreSite, type StoreSite } from './store-site.js'
import { strictContent, strictSlot } from './strict/strict-catalog.js'

/** Names of what a bucket throws while the broker is away or about to be back; not all of the classes are exported. */
const OUTAGES = ['JetStreamNotEnabled', 'TimeoutError', 'RequestError', 'NoResponders', 'ConnectionError']

export interface AdminParts extends Omit<DefinitionRouteParts, 'siteOf'> {
  gate: AdminGate
  sites: Sites
  nats: Nats
  buckets: Pick<Buckets, 'sites' | 'profiles' | 'jobs' | 'tombstones'>
  privacy: Privacy
  /** What is from before a person's deletion is refused. */
  tombstones: () => Tombstones
  log: Log
  catalog: CatalogStore
  plans: Plans
  planStore: PlanStore
  enrich: Enrich
  publisher: Publisher
  partitions: number
  /** How long the client of an export may take nothing of it, in milliseconds. */
  exportStallMs: number
  metrics: CollectorMetrics
  /** Answers with the status of the whole installation. */
  pipeline: RequestHandler
  /** Whether the sites and the stream can be reached now. */
  ready: () => boolean
}

/** `/v1/admin/…`: sites, their slots and content, profiles, and the import of decisions. */
export function adminRoutes(parts: AdminParts): Router {
  const { gate, sites, buckets, privacy, catalog, plans, planStore, publisher, partitions, metrics } = parts
  const { pipeline, ready, tombstones } = parts
  let storeSite: StoreSite | undefined
  const router = express.Router()
  router.use((request, _response, next) => {
    gate.check(request)
    if (!ready()) throw unavailable()
    next()
  })

  router.get('/pipeline', pipeline)

  router.get('/sites', (_request, response) => void response.json({ sites: sites.list().map(viewOf) }))
  router.put('/sites/:siteId', async (request, response) => {
    response.json(viewOf(await changeSite(request, 'put')))
  })
  router.patch('/sites/:siteId', async (request, response) => {
    siteOf(request)
    response.json(viewOf(await changeSite(request, 'patch')))
  })
  router.delete('/sites/:siteId', async (request, response) => {
    const { siteId } = siteOf(request)
    await buckets.sites.delete(siteId)
    await catalog.removeAll(siteId)
    await parts.definitionStore.removeAll(siteId)
    plans.take(siteId, undefined, await planStore.remove(siteId))
    sites.apply({ key: siteId, operation: 'DEL', json: notThere })
    response.json({ deleted: true })
  })

  router.get('/sites/:siteId/catalog', async (request, response) => {
    response.json(await catalog.read(siteOf(request).siteId))
  })
  router.post('/sites/:siteId/catalog', async (request, response) => {
    const { siteId } = siteOf(request)
    const { slots = [], content = [] } = fieldsOf(await objectOf(request), ['slots', 'content'])
    if (!Array.isArray(slots) || !Array.isArray(content))
      throw new Failure('malformed', 'slots and content must be lists: {"slots": […], "content": […]}')
    const problems: string[] = []
    const checkedSlots = checkList(slots, 'slots', strictSlot, problems)
    const slotIds = [...(await catalog.slotIds(siteId)), ...checkedSlots.map(({ id }) => id)]
    const checked = {
      slots: checkedSlots,
      content: checkList(content, 'content', raw => strictContent(raw, slotIds), problems),
    }
    if (problems.length > 0) throw new Failure('malformed', `nothing was stored: ${problems[0]}`, problems)
    await catalog.write(siteId, checked)
    response.json({ slots: checked.slots.length, content: checked.content.length })
  })
  router.put('/sites/:siteId/slots/:id', async (request, response) => {
    const { siteId } = siteOf(request)
    const slot: Slot = valid(strictSlot({ ...(await objectOf(request)), id: request.params.id }))
    await catalog.write(siteId, { slots: [slot], content: [] })
    response.json(slot)
  })
  router.put('/sites/:siteId/content/:id', async (request, response) => {
    const { siteId } = siteOf(request)
    const body = await objectOf(request)
    const slotIds = await catalog.slotIds(siteId)
    const content: Content = valid(strictContent({ ...body, id: request.params.id }, slotIds))
    await catalog.write(siteId, { slots: [], content: [content] })
    response.json(content)
  })
  for (const [folder, kind] of [
    ['slots', 'slot'],
    ['content', 'content'],
  ] as [string, CatalogKind][])
    router.delete(`/sites/:siteId/${folder}/:id`, async (request, response) => {
      const { id } = request.params as { id: string }
      if (!(await catalog.remove(siteOf(request).siteId, kind, id)))
        throw new Failure('not_found', `there is no ${kind} ${id}`)
      response.json({ deleted: true })
    })

  router.get('/sites/:siteId/profiles/:visitorId', async (request, response) => {
    const { siteId } = siteOf(request)
    const { visitorId } = request.params
    const key = profileKey(privacy.keyed, { siteId, visitorId }, partitions)
    const entry = await buckets.profiles.get(key)
    const profile = entry?.operation === 'PUT' ? parseEntry(entry, anObject) : undefined
    if (!profile?.ok) throw new Failure('not_found', 'there is no profile of this visitor')
    response.json(profile.value)
  })

  router.post('/sites/:siteId/decisions/import', async (request, response) => {
    const { siteId } = siteOf(request)
    const { decisions } = fieldsOf(await objectOf(request), ['decisions'])
    if (!Array.isArray(decisions)) throw new Failure('malformed', 'send {"decisions": [decision, …]}')
    const { envelopes, imported, rejected } = importDecisions(
      decisions,
      siteId,
      Date.now(),
      forgottenDecision(tombstones(), siteId),
    )
    const publications = envelopes.flatMap(envelope => decisionPublications(envelope, partitions))
    await publishAll(publisher, publications, metrics)
    response.json({ imported, rejected })
  })

  addDefinitionRoutes(router, { ...parts, siteOf })
  addPlanRoutes(router, { ...parts, siteOf })
  addReplayRoute(router, { ...parts, siteOf })
  addPeopleRoutes(router, { ...parts, siteOf })

  const onError: ErrorRequestHandler = (error, _request, _response, next) =>
    next(error instanceof Error && OUTAGES.includes(error.name) ? unavailable() : error)
  router.use(onError)
  return router

  async function changeSite(request: Request<{ siteId: string }>, change: 'put' | 'patch'): Promise<Site> {
    storeSite ??= createStoreSite(createSiteBucket(parts.nats, buckets.sites), sites)
    return storeSite(request.params.siteId, await objectOf(request), change)
  }

  function siteOf(request: Request<{ siteId: string }>): Site {
    const { siteId } = request.params
    const site = sites.byId(siteId)
    if (!site) throw new Failure('not_found', `there is no site ${siteId}: make it with PUT /v1/admin/sites/${siteId}`)
    return site
  }
}

/** The valid entries of a list; what is wrong with the others is added to `problems`. */
function checkList<T>(list: unknown[], name: string, check: (raw: unknown) => Check<T>, problems: string[]): T[] {
  return list.flatMap((raw, index) => {
    const checked = check(raw)
    if (checked.ok) return [checked.value]
    problems.push(`${name}[${index}]: ${checked.reason}`)
    return []
  })
}

function anObject(raw: unknown): Check<object> {
  return typeof raw === 'object' && raw !== null ? { ok: true, value: raw } : { ok: false, reason: 'no object' }
}

function notThere(): never {
  throw new Error('a deleted entry has no value')
}

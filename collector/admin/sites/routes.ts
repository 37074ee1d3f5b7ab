import type { Site } from '@slotstream/protocol'
import type { Buckets, Nats } from '@slotstream/runtime'
import type { Router } from 'express'
import { createSiteBucket } from '../../keys/site-bucket.js'
import type { Plans } from '../../plan/plans.js'
import type { Sites } from '../../sites.js'
import { objectOf } from '../admin-request.js'
import type { CatalogStore } from '../catalog/store/catalog-store.js'
import type { DefinitionStore } from '../definitions/definition-store.js'
import type { ExperimentStore } from '../experiments/experiment-store.js'
import type { PlanStore } from '../plan/plan-store.js'
import type { SiteRequest, SiteRouteDeps } from '../route-deps.js'
import type { WebhookStore } from '../webhooks/webhook-store.js'
import { viewOf } from './site-keys.js'
import { createStoreSite, type StoreSite } from './store-site.js'

export interface SitesRouteDeps extends SiteRouteDeps {
  nats: Nats
  buckets: Pick<Buckets, 'sites'>
  sites: Sites
  catalog: Pick<CatalogStore, 'removeAll'>
  plans: Plans
  planStore: PlanStore
  definitionStore: DefinitionStore
  experimentStore: Pick<ExperimentStore, 'removeAll'>
  webhookStore: Pick<WebhookStore, 'removeAll'>
}

/**
 * Adds `/sites` and `/sites/:siteId`: a site is deleted with its catalog, its tracking plan, its definitions, its
 * experiments and its webhooks.
 */
export function addSiteRoutes(router: Router, deps: SitesRouteDeps): void {
  const { siteOf, nats, buckets, sites, catalog, plans, planStore, definitionStore, experimentStore, webhookStore } =
    deps
  let storeSite: StoreSite | undefined

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
    await definitionStore.removeAll(siteId)
    await experimentStore.removeAll(siteId)
    await webhookStore.removeAll(siteId)
    plans.take(siteId, undefined, await planStore.remove(siteId))
    sites.apply({ key: siteId, operation: 'DEL', json: notThere })
    response.json({ deleted: true })
  })

  async function changeSite(request: SiteRequest, change: 'put' | 'patch'): Promise<Site> {
    storeSite ??= createStoreSite(createSiteBucket(nats, buckets.sites), sites)
    return storeSite(request.params.siteId, await objectOf(request), change)
  }
}

function notThere(): never {
  throw new Error('a deleted entry has no value')
}

import type { Router } from 'express'
import { Failure } from '../../http/failure.js'
import { fieldsOf, hasBody, objectOf } from '../admin-request.js'
import type { SiteRequest } from '../route-deps.js'
import { decisionTestsOf, refuseFailing } from './decision-tests.js'
import { refuseUnmeant } from './put-items.js'
import { isRevision, revisionOf } from './revision.js'
import type { CatalogRouteDeps } from './route-deps.js'
import { refuseSlotsInUse } from './slots-in-use.js'
import { withTargets } from './store/state.js'
import { warningsField, warningsOf } from './warnings.js'

/** Adds `/sites/:siteId/catalog/…`: its draft, and its earlier revisions. */
export function addVersionRoutes(router: Router, deps: CatalogRouteDeps): void {
  const { siteOf, catalog, checkMeaning, experimentStore } = deps

  router.post('/sites/:siteId/catalog/publish', async (request: SiteRequest, response) => {
    const { siteId } = siteOf(request)
    const body = hasBody(request) ? fieldsOf(await objectOf(request), ['revision', 'tests']) : {}
    const tests = decisionTestsOf(body)
    let warnings: string[] = []
    const published = await catalog.publish(
      siteId,
      async (state, targets) => {
        await refuseUnmeant(siteId, state, targets, checkMeaning)
        const ofTests = await refuseFailing(siteId, tests, withTargets(state, targets))
        await refuseSlotsInUse(experimentStore, siteId, targets)
        warnings = [...(await warningsOf(experimentStore, siteId, state, targets)), ...ofTests]
      },
      { expected: revisionOf(body) },
    )
    response.json({ ...published, ...warningsField(warnings) })
  })

  router.delete('/sites/:siteId/catalog/draft', async (request: SiteRequest, response) => {
    if (!(await catalog.dropDraft(siteOf(request).siteId))) throw new Failure('not_found', 'there is no draft')
    response.json({ deleted: true })
  })

  router.get('/sites/:siteId/catalog/history', async (request: SiteRequest, response) => {
    response.json(await catalog.history(siteOf(request).siteId))
  })

  router.get('/sites/:siteId/catalog/history/:revision', async (request: SiteRequest<'revision'>, response) => {
    const revision = Number(request.params.revision)
    const catalogThen = isRevision(revision) && (await catalog.readRevision(siteOf(request).siteId, revision))
    if (!catalogThen) throw noRevision()
    response.json(catalogThen)
  })

  router.post('/sites/:siteId/catalog/rollback', async (request: SiteRequest, response) => {
    const { siteId } = siteOf(request)
    const { revision } = fieldsOf(await objectOf(request), ['revision'])
    if (!isRevision(revision)) throw new Failure('malformed', 'send {"revision": N}, one of those that …/history lists')
    let warnings: string[] = []
    const changed = await catalog.rollback(siteId, revision, async (state, targets) => {
      await refuseSlotsInUse(experimentStore, siteId, targets)
      warnings = await warningsOf(experimentStore, siteId, state, targets)
    })
    if (!changed) throw noRevision()
    response.json({ ...changed, ...warningsField(warnings) })
  })
}

function noRevision(): Failure {
  return new Failure('not_found', 'there is no such revision of the catalog: GET …/catalog/history lists them')
}

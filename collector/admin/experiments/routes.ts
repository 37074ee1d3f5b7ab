import type { ExperimentSet } from '@slotstream/protocol'
import type { Router } from 'express'
import { Failure } from '../../http/failure.js'
import { fieldsOf, objectOf } from '../admin-request.js'
import { revisionOf } from '../catalog/revision.js'
import type { SiteRequest, SiteRouteParts } from '../route-parts.js'
import { type ExperimentDeps, putExperiments } from './put-experiments.js'

export interface ExperimentRouteParts extends SiteRouteParts, ExperimentDeps {}

/** Adds `/sites/:siteId/experiments`: which ways of choosing are compared in which slots. */
export function addExperimentRoutes(router: Router, parts: ExperimentRouteParts): void {
  const { siteOf, experimentStore: store } = parts
  const path = '/sites/:siteId/experiments'

  router.get(path, async (request: SiteRequest, response) => {
    const { revision, experiments } = await store.read(siteOf(request).siteId)
    response.json({ revision, experiments })
  })

  router.put(path, async (request: SiteRequest, response) => {
    const { siteId } = siteOf(request)
    const body = fieldsOf(await objectOf(request), ['revision', 'experiments'])
    const { revision, experiments } = await putExperiments(parts, siteId, body.experiments, revisionOf(body))
    response.json({ revision, experiments })
  })

  router.get(`${path}/history`, async (request: SiteRequest, response) => {
    const revisions = await store.history(siteOf(request).siteId)
    response.json(revisions.map(({ revision, at }) => ({ revision, at: at.toISOString() })))
  })

  router.get(`${path}/history/:revision`, async (request: SiteRequest<'revision'>, response) => {
    response.json(await earlier(siteOf(request).siteId, Number(request.params.revision)))
  })

  router.post(`${path}/rollback`, async (request: SiteRequest, response) => {
    const { siteId } = siteOf(request)
    const { revision } = fieldsOf(await objectOf(request), ['revision'])
    if (!Number.isSafeInteger(revision))
      throw new Failure('malformed', 'send {"revision": N}, one of those that …/history lists')
    const before = await earlier(siteId, revision as number)
    const stored = await putExperiments(parts, siteId, before.experiments)
    response.json({ revision: stored.revision, experiments: stored.experiments })
  })

  async function earlier(siteId: string, revision: number): Promise<ExperimentSet> {
    const isRevision = Number.isSafeInteger(revision) && revision > 0
    const set = isRevision ? await store.readRevision(siteId, revision) : undefined
    if (!set)
      throw new Failure(
        'not_found',
        'there is no such revision of the experiments: GET …/experiments/history lists them',
      )
    return set
  }
}

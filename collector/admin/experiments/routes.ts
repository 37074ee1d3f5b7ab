import type { Experiment, ExperimentSet } from '@slotstream/protocol'
import type { Router } from 'express'
import { Failure } from '../../http/failure.js'
import { fieldsOf, objectOf } from '../admin-request.js'
import { revisionOf } from '../catalog/revision.js'
import type { SiteRequest, SiteRouteDeps } from '../route-deps.js'
import { type ExperimentDeps, putExperiments } from './put-experiments.js'
import { powerRequest, type ReadPower } from './read-power.js'
import { type ReadResults, resultsRequest } from './read-results.js'

/** Dependencies of the routes of experiments. */
export interface ExperimentRouteDeps extends SiteRouteDeps, ExperimentDeps {
  readResults: ReadResults
  readPower: ReadPower
}

/**
 * Adds `/sites/:siteId/experiments`: which ways of choosing are compared in which slots, `…/slots/:id/results` and
 * `…/power`.
 */
export function addExperimentRoutes(router: Router, deps: ExperimentRouteDeps): void {
  const { siteOf, experimentStore: store, readResults, readPower } = deps
  const path = '/sites/:siteId/experiments'

  router.get(path, async (request: SiteRequest, response) => {
    const { revision, experiments } = await store.read(siteOf(request).siteId)
    response.json({ revision, experiments })
  })

  router.put(path, async (request: SiteRequest, response) => {
    const { siteId } = siteOf(request)
    const body = fieldsOf(await objectOf(request), ['revision', 'experiments'])
    const { revision, experiments } = await putExperiments(deps, siteId, body.experiments, {
      expected: revisionOf(body),
    })
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
    const stored = await putExperiments(deps, siteId, before.experiments, { keepsEnds: false })
    response.json({ revision: stored.revision, experiments: stored.experiments })
  })

  router.get('/sites/:siteId/slots/:id/results', async (request: SiteRequest<'id'>, response) => {
    const { siteId } = siteOf(request)
    const { id: slotId } = request.params
    const experiments = await experimentsFor(siteId, slotId)
    response.json(await readResults(resultsRequest({ siteId, slotId }, request.query, experiments, Date.now())))
  })

  router.get('/sites/:siteId/slots/:id/power', async (request: SiteRequest<'id'>, response) => {
    const { siteId } = siteOf(request)
    const { id: slotId } = request.params
    const experiments = await experimentsFor(siteId, slotId)
    response.json(await readPower(powerRequest({ siteId, slotId }, request.query, experiments, Date.now())))
  })

  /** Resolves to the experiments of a site that has the slot. */
  async function experimentsFor(siteId: string, slotId: string): Promise<readonly Experiment[]> {
    const [{ slots }, { experiments }] = await Promise.all([deps.catalog.read(siteId), store.read(siteId)])
    if (slots.some(({ id }) => id === slotId)) return experiments
    const how = `make it with PUT …/slots/${encodeURIComponent(slotId)}`
    throw new Failure('not_found', `there is no slot ${slotId}: ${how}`)
  }

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

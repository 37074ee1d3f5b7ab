import type { Merge } from '@slotstream/core'
import { isoTime, type LinkState, MAX_NAME_LENGTH } from '@slotstream/protocol'
import { type Log, PublishError, type Publisher } from '@slotstream/runtime'
import type { Router } from 'express'
import { Failure, unavailable } from '../../http/failure.js'
import { fieldsOf, hasBody, objectOf } from '../admin-request.js'
import type { ReadProfiles } from '../profiles/read-profiles.js'
import type { SiteRequest, SiteRouteDeps } from '../route-deps.js'
import { decideMerge } from './decide-merge.js'
import { readMerges } from './read-merges.js'
import { personOf } from './requests.js'

export interface MergeRouteDeps extends SiteRouteDeps {
  readProfiles: ReadProfiles
  publisher: Publisher
  partitions: number
  log: Log
}

/** Cause of a decision for which none is given. */
const DEFAULT_CAUSE = 'administrator'

/** Adds `/sites/:siteId/people/:id/merges`, and undoing and allowing one of them. */
export function addMergeRoutes(router: Router, deps: MergeRouteDeps): void {
  const { siteOf, readProfiles, log } = deps

  router.get('/sites/:siteId/people/:id/merges', async (request: SiteRequest<'id'>, response) => {
    const { siteId } = siteOf(request)
    const merges = await readMerges(readProfiles, siteId, personOf(request))
    response.json({ merges: merges.map(shown) })
  })

  router.delete('/sites/:siteId/people/:id/merges/:mergeId', async (request: MergeRequest, response) => {
    const body = hasBody(request) ? fieldsOf(await objectOf(request), ['cause']) : {}
    response.json(await decide(request, 'undone', body.cause))
  })

  router.put('/sites/:siteId/people/:id/merges/:mergeId', async (request: MergeRequest, response) => {
    const { state, cause } = fieldsOf(await objectOf(request), ['state', 'cause'])
    if (state !== 'joined')
      throw new Failure('malformed', 'send {"state": "joined"} to allow a merge: DELETE of the same path undoes it')
    response.json(await decide(request, state, cause))
  })

  async function decide(request: MergeRequest, state: LinkState, cause: unknown = DEFAULT_CAUSE): Promise<object> {
    const { siteId } = siteOf(request)
    if (typeof cause !== 'string' || cause === '' || cause.length > MAX_NAME_LENGTH)
      throw new Failure('malformed', `cause must be text of 1 to ${MAX_NAME_LENGTH} characters, or be left out`)
    const { mergeId } = request.params
    const merge = (await readMerges(readProfiles, siteId, personOf(request))).find(each => each.mergeId === mergeId)
    if (!merge) throw new Failure('not_found', 'there is no such merge: GET …/merges of the person lists them')
    const decision = await decideMerge(deps, siteId, merge, { state, cause }, Date.now()).catch(error => {
      throw error instanceof PublishError ? unavailable() : error
    })
    log.info({ siteId, mergeId, state }, 'it was decided about a browser and a user')
    return shown({ ...merge, state, cause, at: isoTime(decision.at) })
  }
}

type MergeRequest = SiteRequest<'id' | 'mergeId'>

function shown({ decision: _decision, ...merge }: Merge): object {
  return merge
}

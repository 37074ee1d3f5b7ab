import { type Person, type PersonJob, tombstoneKey, uuidv7 } from '@slotstream/protocol'
import { type Buckets, type Log, type Nats, type Privacy, writeTombstones } from '@slotstream/runtime'
import type { Router } from 'express'
import { Failure } from '../../http/failure.js'
import type { SiteRequest, SiteRouteDeps } from '../route-deps.js'
import { sendExport } from './export.js'
import { type PersonRequest, personOf } from './requests.js'

export interface PeopleRouteDeps extends SiteRouteDeps {
  nats: Nats
  buckets: Pick<Buckets, 'jobs' | 'tombstones'>
  privacy: Privacy
  /** How long the client of an export may take nothing of it, in milliseconds. */
  exportStallMs: number
  log: Log
}

/** Adds `/sites/:siteId/people/:id`, export and deletion of a person, and `/jobs/:jobId`, progress of a deletion. */
export function addPeopleRoutes(
  router: Router,
  { siteOf, nats, buckets, privacy, exportStallMs, log }: PeopleRouteDeps,
): void {
  router.get('/sites/:siteId/people/:id', async (request: SiteRequest<'id'>, response) => {
    const { siteId } = siteOf(request)
    await sendExport(nats, { siteId, ...personOf(request) }, response, { log, stallMs: exportStallMs })
  })

  router.delete('/sites/:siteId/people/:id', async (request: SiteRequest<'id'>, response) => {
    const { siteId } = siteOf(request)
    const person = personOf(request)
    const now = new Date()
    // From this moment on, an aggregator or not, later copies of what there is are rejected.
    await writeTombstones(buckets.tombstones, privacy.keyed, asPerson(siteId, person), now.getTime())
    const job: PersonJob = {
      jobId: uuidv7(),
      siteId,
      person: personHash(siteId, person),
      state: 'running',
      progress: 0,
      step: 'find',
      done: [],
      before: now.toISOString(),
      createdAt: now.toISOString(),
      report: {},
      sealed: privacy.seal(JSON.stringify(person)),
    }
    await buckets.jobs.create(job.jobId, JSON.stringify(job))
    log.info({ jobId: job.jobId, siteId, person: job.person }, 'a person is to be deleted')
    response.status(202).json({ jobId: job.jobId })
  })

  router.get('/jobs/:jobId', async (request, response) => {
    const { jobId } = request.params
    const entry = /^[\w-]{1,64}$/.test(jobId) ? await buckets.jobs.get(jobId) : undefined
    if (entry?.operation !== 'PUT') throw new Failure('not_found', `there is no job ${jobId}`)
    const { sealed: _sealed, done: _done, ...job } = entry.json<PersonJob>()
    response.json(job)
  })

  /**
   * Returns a hash that is the same for each deletion of one id: it says nothing to those without the installation's
   * key.
   */
  function personHash(siteId: string, { id }: PersonRequest): string {
    return tombstoneKey(privacy.keyed, siteId, 'userId', id).slice(siteId.length + 1)
  }
}

function asPerson(siteId: string, { id, as }: PersonRequest): Person {
  return {
    siteId,
    userIds: as === 'anonymousId' ? [] : [id],
    browsers: [],
    anonymousIds: as === 'userId' ? [] : [id],
  }
}

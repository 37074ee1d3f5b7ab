import { isDeepStrictEqual } from 'node:util'
import type { PlanSchemas, TrackingPlan } from '@slotstream/protocol'
import { checkPlan, checkPlanSettings, PlanError } from '@slotstream/tracking-plan'
import type { Router } from 'express'
import { Failure } from '../../http/failure.js'
import type { Plans } from '../../plan/plans.js'
import { fieldsOf, objectOf, valid } from '../admin-request.js'
import type { SiteRequest, SiteRouteDeps } from '../route-deps.js'
import type { NumberedPlan, PlanStore } from './plan-store.js'

export interface PlanRouteDeps extends SiteRouteDeps {
  plans: Plans
  planStore: PlanStore
}

/** Adds `/sites/:siteId/plan`: what an answer confirms is in effect in this collector from then on. */
export function addPlanRoutes(router: Router, { siteOf, plans, planStore }: PlanRouteDeps): void {
  router.get('/sites/:siteId/plan', async (request: SiteRequest, response) => {
    response.json(answerOf(await planStore.read(siteOf(request).siteId)))
  })

  router.put('/sites/:siteId/plan', async (request: SiteRequest, response) => {
    const { siteId } = siteOf(request)
    const body = fieldsOf(await objectOf(request), ['mode', 'unplanned', 'schemas', 'revision', 'force'])
    const uploaded = valid(checkPlan(body))
    const before = await readAt(siteId, body.revision)
    if (body.force !== true) refuseRewriting(before.plan.schemas, uploaded.schemas)
    const { mode, unplanned } = before.plan
    response.json(await store(siteId, { mode, unplanned, ...uploaded }, before))
  })

  router.put('/sites/:siteId/plan/mode', async (request: SiteRequest, response) => {
    const { siteId } = siteOf(request)
    const body = fieldsOf(await objectOf(request), ['mode', 'unplanned', 'revision'])
    const settings = valid(checkPlanSettings(body))
    if (Object.keys(settings).length === 0)
      throw new Failure(
        'malformed',
        'send {"mode": "off", "warn" or "enforce"}, {"unplanned": "allow" or "violation"}, or both',
      )
    const before = await readAt(siteId, body.revision)
    response.json(await store(siteId, { ...before.plan, ...settings }, before))
  })

  router.delete('/sites/:siteId/plan', async (request: SiteRequest, response) => {
    const { siteId } = siteOf(request)
    plans.take(siteId, undefined, await planStore.remove(siteId))
    response.json({ deleted: true })
  })

  /** Returns the plan as it is, if it is what the caller thinks it is. */
  async function readAt(siteId: string, expected: unknown): Promise<NumberedPlan> {
    const before = await planStore.read(siteId)
    if (expected !== undefined && expected !== before.revision) throw changedMeanwhile(before.revision)
    return before
  }

  async function store(siteId: string, plan: TrackingPlan, { revision }: NumberedPlan): Promise<object> {
    const compiled = await plans.compile(siteId, plan).catch(error => {
      if (error instanceof PlanError)
        throw new Failure('malformed', `nothing was stored: ${error.message}`, error.problems)
      throw error
    })
    const stored = await planStore.write(siteId, plan, revision)
    if (stored === undefined) throw changedMeanwhile()
    plans.take(siteId, compiled, stored)
    return answerOf({ plan, revision: stored })
  }
}

function answerOf({ plan, revision }: NumberedPlan): object {
  return { revision, ...plan }
}

function changedMeanwhile(revision?: number): Failure {
  const now = revision === undefined ? '' : `: its revision is ${revision}`
  return new Failure('conflict', `the plan was changed in the meantime${now}. Read it again and repeat your change`)
}

/** A version that is published means one thing for good: messages and rows refer to it. */
function refuseRewriting(before: PlanSchemas, after: PlanSchemas): void {
  const changed = Object.entries(after).flatMap(([event, versions]) =>
    Object.entries(versions)
      .filter(([version, schema]) => {
        const published = before[event]?.[version]
        return published !== undefined && !isDeepStrictEqual(published, schema)
      })
      .map(([version]) => `${event} ${version} is published with other content: give the change a version of its own`),
  )
  if (changed.length > 0)
    throw new Failure('conflict', `nothing was stored: ${changed[0]}, or send "force": true`, changed)
}

import type { Router } from 'express'
import { Failure } from '../../http/failure.js'
import { fieldsOf, objectOf } from '../admin-request.js'
import type { SiteRequest } from '../route-deps.js'
import { decisionTestsOf, refuseFailing } from './decision-tests.js'
import { targetsOf } from './put-items.js'
import { revisionOf, revisionOfDelete } from './revision.js'
import type { CatalogRouteDeps } from './route-deps.js'
import { refuseSlotsInUse } from './slots-in-use.js'
import { wholeOf } from './store/catalog-store.js'
import type { MakeTargets } from './store/change-catalog.js'
import type { CatalogItem, CatalogKind, Target } from './store/changes.js'
import { withTargets } from './store/state.js'
import { addVersionRoutes } from './version-routes.js'
import { warningsField, warningsOf } from './warnings.js'

/** Largest body of a whole catalog, in bytes. */
const MAX_CATALOG_BYTES = 32 * 1024 * 1024

/** Folder of the routes of each kind of entry. */
const FOLDERS: [string, CatalogKind][] = [
  ['slots', 'slot'],
  ['content', 'content'],
]

/** Adds `/sites/:siteId/catalog`, `…/slots/:id` and `…/content/:id`. */
export function addCatalogRoutes(router: Router, deps: CatalogRouteDeps): void {
  const { siteOf, catalog, checkMeaning, experimentStore } = deps

  router.get('/sites/:siteId/catalog', async (request, response) => {
    const { siteId } = siteOf(request)
    if (request.query.draft !== '1') return void response.json(await catalog.read(siteId))
    const state = await catalog.readDraft(siteId)
    if (!state) throw new Failure('not_found', 'there is no draft: POST one with "draft": true')
    response.json({ draft: true, ...(await wholeOf(state)) })
  })
  router.post('/sites/:siteId/catalog', async (request, response) => {
    const { siteId } = siteOf(request)
    const body = fieldsOf(await objectOf(request, MAX_CATALOG_BYTES), [
      'slots',
      'content',
      'revision',
      'draft',
      'replace',
      'tests',
    ])
    const { slots = [], content = [] } = body
    if (!Array.isArray(slots) || !Array.isArray(content))
      throw new Failure('malformed', 'slots and content must be lists: {"slots": […], "content": […]}')
    const [isDraft, isWhole] = [flagOf(body, 'draft'), flagOf(body, 'replace')]
    const tests = decisionTestsOf(body)
    let warnings: string[] = []
    const make: MakeTargets = async state => {
      const targets = await targetsOf(siteId, { slots, content, isWhole }, state, checkMeaning)
      const ofTests = await refuseFailing(siteId, tests, withTargets(state, targets))
      if (!isDraft) await refuseSlotsInUse(experimentStore, siteId, targets)
      warnings = [...(await warningsOf(experimentStore, siteId, state, targets)), ...ofTests]
      return targets
    }
    const options = { expected: revisionOf(body) }
    const changed = await (isDraft ? catalog.draft(siteId, make, options) : catalog.change(siteId, make, options))
    response.json({
      revision: changed.revision,
      slots: slots.length,
      content: content.length,
      ...warningsField(warnings),
    })
  })
  for (const [folder, kind] of FOLDERS) {
    router.put(`/sites/:siteId/${folder}/:id`, async (request: SiteRequest<'id'>, response) => {
      const { siteId } = siteOf(request)
      // An answer can be sent back as it is.
      const { revision, warnings: _told, ...fields } = await objectOf(request)
      const raw = { ...fields, id: request.params.id }
      const options = { expected: revisionOf({ revision }) }
      const items = { slots: [], content: [], isWhole: false, [kind === 'slot' ? 'slots' : 'content']: [raw] }
      let stored: CatalogItem | undefined
      let warnings: string[] = []
      await catalog.change(
        siteId,
        async state => {
          const targets = await targetsOf(siteId, items, state, checkMeaning, () => '')
          stored = targets[0]?.after
          warnings = await warningsOf(experimentStore, siteId, state, targets)
          return targets
        },
        options,
      )
      response.json({ ...stored, ...warningsField(warnings) })
    })
    router.delete(`/sites/:siteId/${folder}/:id`, async (request: SiteRequest<'id'>, response) => {
      const { siteId } = siteOf(request)
      const { id } = request.params
      const targets: Target[] = [{ kind, id }]
      let warnings: string[] = []
      const make: MakeTargets = async state => {
        const { value, isUnusable } = await state.item(kind, id)
        if (value === undefined && !isUnusable) throw new Failure('not_found', `there is no ${kind} ${id}`)
        await refuseSlotsInUse(experimentStore, siteId, targets)
        warnings = await warningsOf(experimentStore, siteId, state, targets)
        return targets
      }
      await catalog.change(siteId, make, { expected: await revisionOfDelete(request) })
      response.json({ deleted: true, ...warningsField(warnings) })
    })
  }
  addVersionRoutes(router, deps)
}

function flagOf(body: Record<string, unknown>, field: 'draft' | 'replace'): boolean {
  const { [field]: value = false } = body
  if (typeof value !== 'boolean') throw new Failure('malformed', `${field} must be true or false`)
  return value
}

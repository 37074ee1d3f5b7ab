import type { Check, Content, Slot } from '@slotstream/protocol'
import type { Router } from 'express'
import { Failure } from '../../http/failure.js'
import { fieldsOf, objectOf, valid } from '../admin-request.js'
import type { SiteRequest, SiteRouteParts } from '../route-parts.js'
import { strictContent, strictSlot } from '../strict/strict-catalog.js'
import type { CatalogKind, CatalogStore } from './catalog-store.js'

export interface CatalogRouteParts extends SiteRouteParts {
  catalog: CatalogStore
}

/** Folder of the routes of each kind of entry. */
const FOLDERS: [string, CatalogKind][] = [
  ['slots', 'slot'],
  ['content', 'content'],
]

/** Adds `/sites/:siteId/catalog`, `…/slots/:id` and `…/content/:id`. */
export function addCatalogRoutes(router: Router, { siteOf, catalog }: CatalogRouteParts): void {
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
  for (const [folder, kind] of FOLDERS)
    router.delete(`/sites/:siteId/${folder}/:id`, async (request: SiteRequest<'id'>, response) => {
      const { id } = request.params
      if (!(await catalog.remove(siteOf(request).siteId, kind, id)))
        throw new Failure('not_found', `there is no ${kind} ${id}`)
      response.json({ deleted: true })
    })
}

/** Returns the valid entries of a list; what is wrong with the others is added to `problems`. */
function checkList<T>(list: unknown[], name: string, check: (raw: unknown) => Check<T>, problems: string[]): T[] {
  return list.flatMap((raw, index) => {
    const checked = check(raw)
    if (checked.ok) return [checked.value]
    problems.push(`${name}[${index}]: ${checked.reason}`)
    return []
  })
}

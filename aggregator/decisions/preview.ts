import type { DecideRequest, SlotDecision } from '@slotstream/protocol'
import type { Answer } from './answer.js'
import type { Catalog } from './catalog.js'

/**
 * Turns an answer into a preview: without decision ids, because there is no record to refer to; and where the request
 * names content for a slot, with that content, even if its period has not begun or is over.
 */
export function previewOf(decided: Answer, { siteId, preview }: DecideRequest, catalog: Catalog): Answer {
  const decisions = decided.decisions.map(decision => {
    const named =
      preview?.show && Object.hasOwn(preview.show, decision.slotId) ? preview.show[decision.slotId] : undefined
    const shown = named ? withContent(decision, named, siteId, catalog) : decision
    return { ...shown, decisionId: '', preview: true as const }
  })
  return { ...decided, decisions, records: [], served: [] }
}

/** Shows the contents of the slot that are named, in that order; those that the slot does not have are left out. */
function withContent(
  { slotId, decisionId }: SlotDecision,
  contentIds: readonly string[],
  siteId: string,
  catalog: Catalog,
): SlotDecision {
  const contents = new Map(catalog.slotOf(siteId, slotId)?.contents.map(({ id, content }) => [id, content]))
  const items = contentIds
    .flatMap(id => contents.get(id) ?? [])
    .map(({ id, payload }, index) => ({ contentId: id, position: index + 1, payload }))
  return { slotId, decisionId, outcome: items.length > 0 ? 'served' : 'empty', items }
}

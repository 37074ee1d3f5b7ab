import type { PluginApi } from '../../client/plugin-api.js'
import { createImpressions, type Shown } from '../../slots/impressions.js'

/**
 * Watches elements that show decided content, whatever rendered them: those marked `data-content-id` inside a slot that
 * is marked `data-decision-id`.
 */
export function impressions(client: PluginApi): () => void {
  const { watch, stop } = createImpressions(client)
  client.find('data-content-id', element => watch(element, () => shownIn(element)))
  return stop
}

/** Reads what an element shows from its marks. */
function shownIn(element: HTMLElement): Shown | undefined {
  const slot = element.closest<HTMLElement>('[data-slot][data-decision-id]')
  const { slot: slotId, decisionId } = slot?.dataset ?? {}
  if (!slot || !slotId || !decisionId) return undefined
  const { contentId = '', position } = element.dataset
  const place = [...slot.querySelectorAll('[data-content-id]')].indexOf(element) + 1
  return { slotId, contentId, decisionId, position: Number(position) || place }
}

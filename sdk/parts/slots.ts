import type { Client } from '../client.js'
import { createImpressions } from '../slots/impressions.js'
import { createPersonalize } from '../slots/personalize.js'
import { renderItem } from '../slots/render.js'

/** Fills the document's `[data-slot]` elements, all in one request, and watches what they show. */
export function slots(client: Client): () => void {
  const impressions = createImpressions(client)
  const personalize = client.personalizer(createPersonalize)
  const fill = async (element: HTMLElement) => {
    const slotId = element.dataset.slot ?? ''
    const count = Number(element.dataset.count) || undefined
    const decision = await personalize(slotId, { ...(count && { count }) })
    const own = element.querySelector<HTMLTemplateElement>('template[data-slot-template]')
    const template =
      own ??
      [...document.querySelectorAll<HTMLTemplateElement>('template[data-slot-template]')].find(
        ({ dataset }) => dataset.slotTemplate === slotId,
      )
    const served = decision.outcome === 'served' && template
    element.dataset.slotState = served ? 'served' : 'fallback'
    if (!served) {
      if (decision.outcome === 'served') client.log(`no <template data-slot-template> for ${slotId}`)
      return
    }
    const rendered = decision.items.map(item => ({ item, fragment: renderItem(template, item, client.log) }))
    const watched = rendered.flatMap(({ item, fragment }) => [...fragment.children].map(child => ({ item, child })))
    element.replaceChildren(...(own ? [own] : []), ...rendered.map(({ fragment }) => fragment))
    const { decisionId } = decision
    for (const { item, child } of watched)
      impressions.watch(child, { slotId, contentId: item.contentId, decisionId, position: item.position })
  }
  const fillAll = () => {
    for (const element of document.querySelectorAll<HTMLElement>('[data-slot]:not([data-slot-state])'))
      fill(element).catch(client.log)
  }
  if (document.readyState === 'loading') client.listeners.on(document, 'DOMContentLoaded', fillAll)
  else fillAll()
  return impressions.stop
}

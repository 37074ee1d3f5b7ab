import type { PluginApi } from '../../client/plugin-api.js'
import { watchAdded } from '../../platform/watch-added.js'
import { personalizerOf } from '../../slots/personalizer-of.js'
import type { SlotDecision } from '../../types.js'
import type { Load, Loadable } from '../loadable.js'

const TEMPLATE = 'template[data-slot-template]'

/**
 * Fills the document's `[data-slot]` elements, those of one moment in one request, and marks what they show, as a
 * server marks what it has filled itself: `data-decision-id` at the slot, `data-content-id` and `data-position` at each
 * item.
 */
export function slots(client: PluginApi, load: Load, since = 0): () => void {
  const { listeners, log, settings } = client
  const personalize = personalizerOf(client)
  const known = new WeakSet<Element>()
  /** Elements that are there when this has loaded wait since it was wanted. */
  let wanted = since

  /** True: the element shows what was decided. */
  const show = (
    element: HTMLElement,
    { slotId, decisionId, outcome, items }: SlotDecision,
    renderItem: Loadable['renderHtml'] | undefined,
  ): boolean => {
    const own = element.querySelector<HTMLTemplateElement>(TEMPLATE)
    const template =
      own ??
      [...document.querySelectorAll<HTMLTemplateElement>(TEMPLATE)].find(
        ({ dataset }) => dataset.slotTemplate === slotId,
      )
    const mark = (shown: Element, contentId: string, position: number) =>
      Object.assign((shown as HTMLElement).dataset, { contentId, position })

    // Items that other visitors see are compared with the page's own content, child by child.
    if (outcome === 'holdout') for (const shown of [element, ...element.children]) mark(shown, '', 1)
    // Nothing is replaced while the visitor uses it.
    const served = outcome === 'served' && renderItem && template && !element.contains(document.activeElement)
    if (served) {
      const rendered = items.map(item => {
        const fragment = renderItem(template, item, log)
        for (const child of fragment.children) mark(child, item.contentId, item.position)
        return fragment
      })
      element.replaceChildren(...(own ? [own] : []), ...rendered)
    } else if (outcome === 'served')
      log('not filled', slotId, template ? 'it has the focus, or was too late' : 'it has no template')
    if (served || outcome === 'holdout') element.dataset.decisionId = decisionId
    return !!served
  }

  const fill = async (element: HTMLElement) => {
    const { slot = '', slotState, decisionId, count } = element.dataset
    if (known.has(element) || slotState || decisionId) return
    known.add(element)
    element.ariaBusy = 'true'
    const asked = wanted || Date.now()
    const [decision, renderItem] = await Promise.all([
      personalize(slot, { count: Number(count) || undefined, timeout: settings.slotTimeout - (Date.now() - asked) }),
      // Beside the question, so that it takes no time of its own.
      Promise.resolve(load(settings.rawHtml ? 'renderHtml' : 'renderItem')).catch(error => void log(error)),
    ])
    // A time-out is for both.
    const late = Date.now() - asked > settings.slotTimeout
    element.ariaBusy = null
    element.dataset.slotState = show(element, decision, late ? undefined : renderItem) ? 'served' : 'fallback'
  }

  const find = (element: HTMLElement) => void fill(element).catch(log)
  const all = () => watchAdded('data-slot', listeners.signal, find)
  if (document.readyState === 'loading') {
    // The sooner the better, but an element whose end isn't parsed yet may still get its template.
    for (const element of document.querySelectorAll<HTMLElement>('[data-slot]')) if (isParsed(element)) find(element)
    listeners.on(document, 'DOMContentLoaded', all)
  } else all()
  wanted = 0
  return () => {}
}

/** Returns whether something follows the element, which carries its own template. */
function isParsed(element: Element): boolean {
  for (let node: Node | null = element; node; node = node.parentNode)
    if (node.nextSibling) return element.querySelector(TEMPLATE) !== null
  return false
}

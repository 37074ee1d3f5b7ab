import type { PluginApi } from '../../client/plugin-api.js'
import type { setHtml } from '../../slots/render/raw-html.js'
import { renderItem } from '../../slots/render/render.js'
import { standIn } from '../../slots/render/stand-in.js'
import type { SlotDecision, SlotItem } from '../../types.js'
import type { LoadForServices, slotServices } from './slot-services.js'

const TEMPLATE = 'template[data-slot-template]'

/**
 * Shows a decision in its element. Resolves with whether the element shows content, by the deadline at the latest.
 * Without a decision: empties an element that was decided for another person, and out of the document meanwhile.
 */
export type Filler = (element: HTMLElement, decision?: SlotDecision, deadline?: Promise<void>) => Promise<boolean>

/** Loads what slots need later. */
type LoadForSlots = LoadForServices & {
  (name: 'rawHtml'): typeof setHtml | Promise<typeof setHtml>
  (name: 'slotServices'): typeof slotServices | Promise<typeof slotServices>
}

/** Functions that take content and marks from elements again, and the person of the page that they were decided for. */
const handled = new WeakMap<Element, { clear: () => void; person: number }>()

/**
 * Creates what fills a page's slots, and what empties them when the visitor is another person or no longer agrees.
 *
 * @param load loads what writes payloads as HTML, for pages that allow it, and what slots need later
 * @param fill asks for the content of an element that isn't the page's own business anew, and shows it
 */
export async function createFiller(
  client: PluginApi,
  load: LoadForSlots,
  fill: (element: HTMLElement) => void,
): Promise<Filler> {
  const {
    log,
    listeners: { on, signal },
    consent,
    settings,
    person,
  } = client
  let begin: (() => void) | undefined = () =>
    Promise.resolve(load('slotServices'))
      .then(services => services(client, load))
      .catch(log)
  const writeHtml = settings.rawHtml ? await load('rawHtml') : undefined
  const render = (template: HTMLTemplateElement, item: SlotItem) => {
    const fragment = renderItem(template, item, log, writeHtml)
    for (const child of fragment.children) mark(child, item)
    return fragment
  }
  const clear = (element: HTMLElement) => {
    const it = handled.get(element)
    if (!it) return
    handled.delete(element)
    it.clear()
    element.dataset.slotState = 'fallback'
  }
  const each = (run: (element: HTMLElement) => void) => {
    for (const element of document.querySelectorAll<HTMLElement>('[data-slot]')) run(element)
  }
  const agrees = () => consent().personalization === 'granted'
  let agreed = true

  on(window, 'slotstream:visitor', () => each(clear))
  on(window, 'slotstream:refresh', event => {
    const { detail } = event as CustomEvent<string | undefined>
    each(element => (detail ?? element.dataset.slot) === element.dataset.slot && fill(element))
  })
  on(window, 'slotstream:consent', () => {
    if (agreed !== agrees()) each(agreed ? clear : fill)
    agreed = agrees()
  })
  signal.addEventListener('abort', () => (agrees() && consent().analytics !== 'denied') || each(clear))

  return async (element, decision, deadline) => {
    // In a later task, because to begin a download takes the page milliseconds before it has its content.
    if (begin) setTimeout(begin)
    begin = undefined
    const isServed = element.dataset.slotState === 'served'
    if (!decision) {
      if (handled.get(element)?.person !== person()) clear(element)
      return false
    }
    const { slotId, decisionId, outcome, items, preview } = decision
    // Nothing was decided anew.
    if (isServed && !decisionId && !preview) return true
    let nodes: ChildNode[] = []
    if (outcome === 'served') {
      if (document.readyState === 'loading' && !templateOf(element))
        await Promise.race([new Promise(resolve => on(document, 'DOMContentLoaded', resolve)), deadline])
      const template = templateOf(element)
      // Nothing is replaced while the visitor uses it.
      const isUsed = element.contains(document.activeElement)
      if (template && !isUsed) nodes = items.flatMap(item => [...render(template, item).childNodes])
      if (!nodes.some(node => node.textContent?.trim() || node instanceof Element)) {
        log('not filled', slotId, isUsed ? 'has the focus' : template ? 'template is empty' : 'no template')
        return isServed
      }
    }
    clear(element)
    const marked = outcome === 'holdout' ? [element, ...element.children] : []
    // Items that other visitors see are compared with the page's own content, child by child.
    for (const markedElement of marked) mark(markedElement, { contentId: '', position: 1 })
    if (!nodes.length && !marked.length) return false
    const hide = nodes.length ? standIn(element, nodes, log, clear) : () => {}
    element.dataset.decisionId = decisionId
    handled.set(element, {
      person: person(),
      clear() {
        hide()
        delete element.dataset.decisionId
        for (const { dataset } of marked as HTMLElement[]) {
          delete dataset.contentId
          delete dataset.position
        }
      },
    })
    return nodes.length > 0
  }
}

function mark(element: Element, { contentId, position }: Pick<SlotItem, 'contentId' | 'position'>): void {
  Object.assign((element as HTMLElement).dataset, { contentId, position })
}

/** Returns an element's template, or the document's for its slot; undefined while either may still be parsed. */
function templateOf(element: HTMLElement): HTMLTemplateElement | undefined {
  if (document.readyState === 'loading' && !isParsed(element)) return undefined
  return (
    element.querySelector<HTMLTemplateElement>(TEMPLATE) ??
    [...document.querySelectorAll<HTMLTemplateElement>(TEMPLATE)].find(
      ({ dataset }) => dataset.slotTemplate === element.dataset.slot,
    )
  )
}

/** Returns whether something follows the element, which is therefore complete. */
function isParsed(element: Element): boolean {
  for (let node: Node | null = element; node; node = node.parentNode) if (node.nextSibling) return true
  return false
}

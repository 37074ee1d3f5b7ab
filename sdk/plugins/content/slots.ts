import type { PluginApi } from '../../client/plugin-api.js'
import { personalizerOf } from '../../slots/personalizer-of.js'
import type { Load } from '../loadable.js'
import type { Filler } from './filler.js'

/** Elements that this package has asked for, or another client of it before: their state is its own. */
const filled = new WeakSet<Element>()

/**
 * Finds the document's `[data-slot]` elements and asks for their content, those of one moment in one request. In the
 * script tag's first file, so that the request leaves before anything else has loaded: what fills the elements loads
 * beside it, and the deadline is for both.
 */
export function slots(client: PluginApi, load: Load): () => void {
  const { listeners, log, settings } = client
  let filling: Promise<Filler | undefined> | undefined
  let isAsking = false
  /** The slot that each element was asked for as: a framework makes another of an element that it has. */
  const slotOf = new WeakMap<Element, string | undefined>()

  const fill = async (element: HTMLElement) => {
    const { dataset } = element
    const { slot = '', count } = dataset
    // Tells that the element's states are of this package, on a copy of it as well.
    dataset.slotOwn ||= ' '
    element.ariaBusy = 'true'
    let until = 0
    const answer = personalizerOf(client)(slot, { count: Number(count) || undefined }, () => {
      until = Date.now() + settings.slotTimeout
    })
    // Beside the request, so that it takes no time of its own.
    filling ??= Promise.resolve(load('filler'))
      .then(create => create(client, load, again))
      .catch(log as () => undefined)
    const decision = await answer
    // Without a request, as for what a server has decided, the time is that of the code alone.
    until ||= Date.now() + settings.slotTimeout
    const deadline = new Promise<void>(resolve => setTimeout(resolve, until - Date.now()))
    const fillWith = await Promise.race([filling, deadline])
    // Unless it has become another slot meanwhile, or none.
    if (dataset.slot === slot)
      dataset.slotState = (await fillWith?.(element, decision, deadline)) ? 'served' : 'fallback'
    element.ariaBusy = null
    if (!fillWith) log('not filled', slot, 'code is late')
  }
  const again = (element: HTMLElement) => {
    if (slotOf.has(element)) fill(element).catch(log)
  }
  const find = (element: HTMLElement) => {
    const { slot, slotState, decisionId } = element.dataset
    const isKnown = slotOf.has(element)
    if (isKnown && slotOf.get(element) === slot && (slotState || element.ariaBusy))
      return void filling?.then(fillWith => fillWith?.(element))
    // States that this package has not set are the page's own.
    if (!isKnown && (decisionId || (slotState && !(filled.has(element) && slotState === 'fallback')))) return
    // While the document is parsed: those that are there when the first is. All others in one request after it.
    if (isAsking && document.readyState === 'loading') return
    queueMicrotask(() => {
      isAsking = true
    })
    slotOf.set(element, slot)
    filled.add(element)
    again(element)
  }
  client.find('data-slot', find)
  listeners.on(document, 'DOMContentLoaded', () => {
    for (const element of document.querySelectorAll<HTMLElement>('[data-slot]')) find(element)
  })
  return () => {}
}

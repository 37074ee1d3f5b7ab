import type { PluginApi } from '../../client/plugin-api.js'
import { personalizerOf } from '../../slots/personalizer-of.js'
import type { Load } from '../loadable.js'
import type { Filler } from './filler.js'

/** Elements that were asked for, and by which client: another one follows when the visitor's consent changes. */
const clientOf = new WeakMap<Element, PluginApi>()

/**
 * Finds the document's `[data-slot]` elements and asks for their content, those of one moment in one request. In the
 * script tag's first file, so that the request leaves before anything else has loaded: what fills the elements loads
 * beside it, and the deadline is for both.
 */
export function slots(client: PluginApi, load: Load): () => void {
  const { listeners, log, settings } = client
  let filling: Promise<Filler | undefined> | undefined
  let isAsking = false

  const fill = async (element: HTMLElement) => {
    const { slot = '', count } = element.dataset
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
    const isServed = await fillWith?.(element, decision, deadline)
    element.ariaBusy = null
    element.dataset.slotState = isServed ? 'served' : 'fallback'
    if (!fillWith) log('not filled', slot, 'code is late')
  }
  const again = (element: HTMLElement) => {
    if (clientOf.get(element) === client) fill(element).catch(log)
  }
  const find = (element: HTMLElement) => {
    const { slotState, decisionId } = element.dataset
    if (clientOf.get(element) === client) return void filling?.then(fillWith => fillWith?.(element))
    // States that this package has not set are the page's own.
    if (decisionId || (slotState && !(clientOf.has(element) && slotState === 'fallback'))) return
    // While the document is parsed: those that are there when the first is. All others in one request after it.
    if (isAsking && document.readyState === 'loading') return
    queueMicrotask(() => {
      isAsking = true
    })
    clientOf.set(element, client)
    again(element)
  }
  client.find('data-slot', find)
  listeners.on(document, 'DOMContentLoaded', () => {
    for (const element of document.querySelectorAll<HTMLElement>('[data-slot]')) find(element)
  })
  return () => {}
}

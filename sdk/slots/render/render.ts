import { guard, type Log } from '../../platform/guard.js'
import type { SlotItem } from '../../types.js'
import { isOpen, setAttribute } from './attributes.js'
import type { setHtml } from './raw-html.js'

/**
 * Makes an item's elements from a template: `data-text="key"` becomes text, `data-attr="href:url;alt:title"`
 * attributes. Payloads are never read as HTML, save by `data-html="key"` on a page that allows it, by `writeHtml`. For
 * keys that the payload doesn't have, the template's own text stays, and the log says so.
 */
export function renderItem(
  template: HTMLTemplateElement,
  { payload }: SlotItem,
  log: Log,
  writeHtml?: typeof setHtml,
): DocumentFragment {
  const fragment = template.ownerDocument.importNode(template.content, true)
  // Listed before anything is written, so that nothing in a payload is taken for the template's.
  for (const element of fragment.querySelectorAll<HTMLElement>('*')) {
    const { text, attr, html } = element.dataset
    const read = (key?: string) => {
      if (key && !Object.hasOwn(payload, key)) log('missing', key, element)
      return textOf(payload, key)
    }
    const words = read(text)
    const markup = writeHtml && read(html)
    if (isOpen(element)) {
      if (words !== undefined) element.textContent = words
      if (markup !== undefined) guard(log, () => writeHtml?.(element, markup))
    } else if (words ?? markup) log('refused', 'text', element)
    for (const pair of attr?.split(';') ?? []) {
      const [name = '', key] = pair.split(/:(.*)/s).map(text => text.trim())
      const value = read(key)
      if (name && value !== undefined && !setAttribute(element, name, value)) log('refused', name, element)
    }
  }
  return fragment
}

function textOf(payload: Record<string, unknown>, key: string | undefined): string | undefined {
  const value = key && Object.hasOwn(payload, key) ? payload[key] : undefined
  return value === undefined || value === null ? undefined : String(value)
}

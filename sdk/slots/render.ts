import type { Log } from '../platform/guard.js'
import type { SlotItem } from '../types.js'
import { setAttribute } from './attributes.js'

/**
 * Makes an item's elements from a template: `data-text="key"` becomes text, `data-attr="href:url;alt:title"`
 * attributes. Payloads are never read as HTML. Keys the payload doesn't have leave the template's own.
 */
export function renderItem(template: HTMLTemplateElement, { payload }: SlotItem, log: Log): DocumentFragment {
  const fragment = template.ownerDocument.importNode(template.content, true)
  for (const element of fragment.querySelectorAll<HTMLElement>('[data-text]')) {
    const text = textOf(payload, element.dataset.text)
    if (text !== undefined) element.textContent = text
  }
  for (const element of fragment.querySelectorAll<HTMLElement>('[data-attr]'))
    for (const pair of element.dataset.attr?.split(';') ?? []) {
      const [name = '', key] = pair.split(/:(.*)/s).map(part => part.trim())
      const value = textOf(payload, key)
      if (name && value !== undefined && !setAttribute(element, name, value)) log('refused', name, value)
    }
  return fragment
}

function textOf(payload: Record<string, unknown>, key: string | undefined): string | undefined {
  const value = key && Object.hasOwn(payload, key) ? payload[key] : undefined
  return value === undefined || value === null ? undefined : String(value)
}

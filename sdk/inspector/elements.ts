/** Makes an element. Text stays text: nothing here is ever read as HTML, so that it works with Trusted Types. */
export function el<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Record<string, string> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
  element.append(...children)
  return element
}

/** A button that does something. */
export function button(label: string, attributes: Record<string, string>, press: () => void): HTMLButtonElement {
  const made = el('button', { type: 'button', ...attributes }, label)
  made.addEventListener('click', press)
  return made
}

/** `14:03:07.512`, in the visitor's own time. */
export function clock(at: number): string {
  const date = new Date(at)
  return `${date.toTimeString().slice(0, 8)}.${String(date.getMilliseconds()).padStart(3, '0')}`
}

/** Any value as JSON to read. */
export function json(value: unknown): HTMLElement {
  let text: string | undefined
  try {
    text = JSON.stringify(value, null, 2)
  } catch {
    // Circular: its own words have to do.
  }
  return el('pre', { tabindex: '0' }, text ?? String(value))
}

/** A list of terms and what they are; entries without a value are left out. */
export function facts(entries: [term: string, value: Node | string | number | undefined][]): HTMLElement {
  const list = el('dl')
  for (const [term, value] of entries)
    if (value !== undefined && value !== '')
      list.append(el('dt', {}, term), el('dd', {}, typeof value === 'number' ? String(value) : value))
  return list
}

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

/** Makes a button. */
export function button(label: string, attributes: Record<string, string>, press: () => void): HTMLButtonElement {
  const element = el('button', { type: 'button', ...attributes }, label)
  element.addEventListener('click', press)
  return element
}

/** Writes a time in the visitor's own zone: `14:03:07.512`. */
export function clock(at: number): string {
  const date = new Date(at)
  return `${date.toTimeString().slice(0, 8)}.${String(date.getMilliseconds()).padStart(3, '0')}`
}

/** Shows a value as JSON. */
export function json(value: unknown): HTMLElement {
  let text: string | undefined
  try {
    text = JSON.stringify(value, null, 2)
  } catch {
    // Circular: its own words have to do.
  }
  return el('pre', { tabindex: '0' }, text ?? String(value))
}

/** Makes a list of terms and their values; entries without a value are left out. */
export function facts(entries: [term: string, value: Node | string | number | undefined][]): HTMLElement {
  const list = el('dl')
  for (const [term, value] of entries)
    if (value !== undefined && value !== '')
      list.append(el('dt', {}, term), el('dd', {}, typeof value === 'number' ? String(value) : value))
  return list
}

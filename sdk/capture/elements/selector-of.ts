/** Steps up the document: enough to find an element again, too few to describe a page. */
const MAX_STEPS = 5

/** Ids that authors write. Generated ones change with every page, and may name a person. */
const WRITTEN_ID = /^(?!.*\d{4})[a-z][\w-]*$/i

/**
 * Returns a CSS selector by which an element is found again, of tags, places among siblings, and ids: no classes, no
 * attributes, no contents.
 */
export function selectorOf(element: Element): string {
  const steps: string[] = []
  for (let at: Element | null = element; at && steps.length < MAX_STEPS; at = at.parentElement) {
    const { id, localName } = at
    if (WRITTEN_ID.test(id)) {
      steps.unshift(`${localName}#${id}`)
      break
    }
    // By the prototype: a form's field that is named `children` hides the list.
    const siblings: Iterable<Element> = at.parentElement
      ? Reflect.get(Element.prototype, 'children', at.parentElement)
      : []
    const alike = [...siblings].filter(sibling => sibling.localName === localName)
    steps.unshift(alike.length > 1 ? `${localName}:nth-of-type(${alike.indexOf(at) + 1})` : localName)
  }
  return steps.join(' > ')
}

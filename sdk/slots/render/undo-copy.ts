/**
 * Makes a copy of a slot element what the element was before this package filled it, and has it filled anew. Libraries
 * that keep pages for the way back, or repeat elements, copy what is in the document: marks of a decision for an
 * earlier page view, or for another person, and own content that is hidden (`standIn`) for good.
 */
export function undoCopy(element: HTMLElement): void {
  const { dataset } = element
  // Between loading and now it may have been removed, or undone.
  if (!dataset.slotOwn || !dataset.slot) return
  if (dataset.slotState === 'served') {
    for (const node of [...element.childNodes]) {
      const { style } = node as HTMLElement
      if (style?.getPropertyValue('display') === 'none' && style.getPropertyPriority('display'))
        style.removeProperty('display')
      else if (style || node instanceof Text) node.remove()
    }
    const text = dataset.slotOwn.trim()
    if (text) element.prepend(text)
  }
  for (const marked of [element, ...element.children] as HTMLElement[])
    for (const mark of ['contentId', 'position', 'decisionId', 'slotState', 'slotOwn']) delete marked.dataset[mark]
  // Is watched, so that the element is found again.
  element.dataset.slot = dataset.slot
}

/**
 * Finds the elements of the document that have an attribute, and those that get it or are added later, before the
 * browser paints them. One that comes again is found again.
 *
 * @param signal ends it
 */
export function watchAdded(attribute: string, signal: AbortSignal, onFound: (element: HTMLElement) => void): void {
  const search = (node: Partial<HTMLElement>) => {
    if (node.hasAttribute?.(attribute)) onFound(node as HTMLElement)
    for (const element of node.querySelectorAll?.<HTMLElement>(`[${attribute}]`) ?? []) onFound(element)
  }
  const observer = new MutationObserver(changes => {
    for (const { type, target, addedNodes } of changes)
      for (const node of type === 'childList' ? addedNodes : [target]) search(node as Partial<HTMLElement>)
  })
  observer.observe(document, { childList: true, subtree: true, attributeFilter: [attribute] })
  signal.addEventListener('abort', () => observer.disconnect())
  search(document.documentElement)
}

/**
 * Finds the elements of the document that have an attribute, and those that get it or are added later, before the
 * browser paints them. One that comes again is found again.
 *
 * @param signal ends it
 * @param onFound called with the observer, too, which it may disconnect
 */
export function watchAdded(
  attribute: string,
  signal: AbortSignal,
  onFound: (element: HTMLElement, observer: MutationObserver) => void,
): void {
  const search = (node: Partial<HTMLElement>) => {
    if (node.hasAttribute?.(attribute)) onFound(node as HTMLElement, observer)
    for (const element of node.querySelectorAll?.<HTMLElement>(`[${attribute}]`) ?? []) onFound(element, observer)
  }
  const observer = new MutationObserver(changes => {
    for (const { type, target, addedNodes } of changes)
      for (const node of type === 'childList' ? addedNodes : [target]) search(node as Partial<HTMLElement>)
  })
  observer.observe(document, { childList: true, subtree: true, attributeFilter: [attribute] })
  signal.addEventListener('abort', () => observer.disconnect())
  search(document.documentElement)
}

import { vi } from 'vitest'

/** jsdom has no layout: what is in view is said by the test. */
export function stubViewing() {
  const observers: { callback: IntersectionObserverCallback; elements: Set<Element> }[] = []
  vi.stubGlobal(
    'IntersectionObserver',
    class {
      elements = new Set<Element>()
      constructor(callback: IntersectionObserverCallback) {
        observers.push({ callback, elements: this.elements })
      }
      observe = (element: Element) => this.elements.add(element)
      unobserve = (element: Element) => this.elements.delete(element)
      disconnect = () => this.elements.clear()
    },
  )
  return {
    /** The element is in view with this share of it. */
    show(selector: string, share = 1) {
      const target = document.querySelector(selector)!
      for (const { callback, elements } of observers)
        if (elements.has(target))
          callback(
            [{ target, isIntersecting: share > 0, intersectionRatio: share } as IntersectionObserverEntry],
            {} as IntersectionObserver,
          )
    },
    observed: () => observers.reduce((sum, { elements }) => sum + elements.size, 0),
  }
}

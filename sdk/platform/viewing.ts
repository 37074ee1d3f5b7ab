import type { Listeners } from './listeners.js'

/** Half of the element, for a second: what advertising counts as viewable. */
const SHARE = 0.5
const VIEW_MS = 1_000

interface Waiting {
  seen: () => void
  timer?: ReturnType<typeof setTimeout> | undefined
}

/**
 * Reports when an element was seen: half of it visible for a second, in a page that is in front.
 *
 * @param beforePage runs something when another page view begins, at which elements that are gone are forgotten
 */
export function createViewing(listeners: Listeners, beforePage: (run: () => void) => void) {
  const unseen = new Map<Element, Waiting>()
  const forget = (element: Element) => {
    clearTimeout(unseen.get(element)?.timer)
    unseen.delete(element)
    observer.unobserve(element)
  }
  const observer = new IntersectionObserver(
    entries => {
      for (const { target, isIntersecting, intersectionRatio } of entries) {
        const waiting = unseen.get(target)
        if (!waiting) continue
        clearTimeout(waiting.timer)
        waiting.timer =
          isIntersecting && intersectionRatio >= SHARE ? setTimeout(() => view(target), VIEW_MS) : undefined
      }
    },
    { threshold: SHARE },
  )
  const view = (element: Element) => {
    const waiting = unseen.get(element)
    if (!waiting || document.visibilityState !== 'visible') return
    forget(element)
    waiting.seen()
  }
  // The second starts over when the page comes back: observing again reports where the elements are.
  listeners.on(document, 'visibilitychange', () => {
    for (const [element, { timer }] of unseen) {
      clearTimeout(timer)
      observer.unobserve(element)
      if (document.visibilityState === 'visible') observer.observe(element)
    }
  })
  beforePage(() => {
    for (const element of unseen.keys()) if (!element.isConnected) forget(element)
  })
  return {
    watch(element: Element, seen: () => void) {
      forget(element)
      unseen.set(element, { seen })
      observer.observe(element)
    },
    stop() {
      observer.disconnect()
      for (const { timer } of unseen.values()) clearTimeout(timer)
      unseen.clear()
    },
  }
}

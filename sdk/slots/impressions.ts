import type { Client } from '../client.js'

/** What an impression and a click report: which choice this is. */
export interface Shown extends Record<string, unknown> {
  slotId: string
  contentId: string
  decisionId: string
  position: number
}

/** Half of the element, for a second: what advertising counts as viewable. */
const SHARE = 0.5
const VIEW_MS = 1_000

/** Watches elements that show decided content: `Slot Viewed` once per decision and content, `Slot Clicked` per click. */
export function createImpressions({ track, listeners }: Pick<Client, 'track' | 'listeners'>) {
  const unseen = new Map<Element, { shown: Shown; timer?: ReturnType<typeof setTimeout> | undefined }>()
  const seen = new Set<string>()
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
    unseen.delete(element)
    observer.unobserve(element)
    const { shown } = waiting
    const key = JSON.stringify([shown.decisionId, shown.contentId, shown.position])
    if (seen.has(key)) return
    seen.add(key)
    track('Slot Viewed', shown)
  }
  // The second begins anew when the page comes back: observing again reports where the elements are.
  listeners.on(document, 'visibilitychange', () => {
    for (const [element, { timer }] of unseen) {
      clearTimeout(timer)
      observer.unobserve(element)
      if (document.visibilityState === 'visible') observer.observe(element)
    }
  })
  return {
    watch(element: Element, shown: Shown) {
      unseen.set(element, { shown })
      observer.observe(element)
      listeners.on(element, 'click', () => track('Slot Clicked', shown), { capture: true })
    },
    stop() {
      observer.disconnect()
      for (const { timer } of unseen.values()) clearTimeout(timer)
      unseen.clear()
    },
  }
}

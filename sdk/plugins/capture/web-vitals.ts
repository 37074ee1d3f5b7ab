import { type Interactions, inpOf, withInteraction } from '../../capture/vitals/interactions.js'
import { ratingOf, type Vital } from '../../capture/vitals/ratings.js'
import { type ShiftSession, withShift } from '../../capture/vitals/shifts.js'
import type { PluginApi } from '../../client/plugin-api.js'
import { nextTask } from '../../platform/next-task.js'

/** Events below this duration count as interactions, but their duration is not looked at, in milliseconds. */
const MIN_DURATION_MS = 40

/** INP of a document that came back and saw only shorter interactions, in milliseconds. */
const SHORTEST_MS = 8

/** After an input no larger paint counts; those before it are reported by the browser within this, in milliseconds. */
const LATE_PAINT_MS = 500

/** Fields of the browser's entries that this reads. */
type Entry = PerformanceEntry & {
  activationStart?: number
  hadRecentInput?: boolean
  interactionId?: number
  responseStart?: number
  value?: number
}

/**
 * Tracks `Web Vital` for each metric when its value is final, as Google's library `web-vitals` measures them. They are
 * measured from the load of the document, so they belong to the page view that it began, also when it ends after other
 * routes; out of the back/forward cache they are measured anew. Longer than 70 lines: the metrics share when the page
 * was hidden.
 */
export function webVitals({ track, listeners, view, delivery }: PluginApi): () => void {
  const { on, signal } = listeners
  const supports = (type: string) => PerformanceObserver.supportedEntryTypes.includes(type)
  const entries = (type: string): Entry[] => performance.getEntriesByType(type)
  const activatedAt = entries('navigation')[0]?.activationStart ?? 0
  /** Returns the milliseconds until a time from when the visitor asked for the page. */
  const since = (at: number) => Math.max(at - activatedAt, 0)
  const drains: (() => void)[] = []
  let loaded = view()
  let id = delivery.newId()
  let reported: Partial<Record<Vital, number>> = {}
  let hiddenAt =
    entries('visibility-state').find(({ name, startTime }) => name === 'hidden' && startTime >= activatedAt)
      ?.startTime ?? (document.visibilityState === 'hidden' ? 0 : Infinity)
  let largest: number | undefined
  let shifted = 0
  let session: ShiftSession | undefined
  let longest: Interactions = new Map()
  let [firstId, lastId] = [Infinity, 0]
  /** Returns the number of interactions; where the browser doesn't count them, by their ids, which ascend by seven. */
  const interactions = () =>
    (performance as { interactionCount?: number }).interactionCount ?? (lastId && (lastId - firstId) / 7 + 1)
  /** Number of interactions before the document came back out of the cache. */
  let before: number | undefined

  const report = (name: Vital, value: number | undefined) => {
    if (value === undefined || value === reported[name]) return
    reported[name] = value
    track('Web Vital', { name, value, rating: ratingOf(name, value), id: `${id}-${name}` }, undefined, loaded)
  }
  const observe = (type: string, take: (entry: Entry) => void, options?: { durationThreshold: number }) => {
    if (!supports(type)) return
    const takeAll = (list: Entry[]) => {
      for (const entry of list) take(entry)
    }
    const observer = new PerformanceObserver(list => takeAll(list.getEntries()))
    observer.observe({ type, buffered: true, ...options } as PerformanceObserverInit)
    drains.push(() => takeAll(observer.takeRecords()))
    signal.addEventListener('abort', () => observer.disconnect())
  }
  const reportLargest = () => {
    for (const drain of drains) drain()
    if (reported.LCP === undefined) report('LCP', largest)
  }
  const interact = ({ interactionId, duration, entryType }: Entry) => {
    if (!interactionId) return
    firstId = Math.min(firstId, interactionId)
    lastId = Math.max(lastId, interactionId)
    if (duration >= MIN_DURATION_MS || entryType === 'first-input')
      longest = withInteraction(longest, interactionId, duration)
  }

  observe('navigation', ({ responseStart }) => report('TTFB', responseStart && since(responseStart)))
  observe('paint', ({ name, startTime }) => {
    if (name === 'first-contentful-paint' && startTime < hiddenAt) report('FCP', since(startTime))
  })
  observe('largest-contentful-paint', ({ startTime }) => {
    if (startTime < hiddenAt) largest = since(startTime)
  })
  observe('layout-shift', ({ hadRecentInput, value = 0, startTime }) => {
    if (hadRecentInput) return
    session = withShift(session, value, startTime)
    shifted = Math.max(shifted, session.value)
  })
  observe('event', interact, { durationThreshold: 'interactionCount' in performance ? MIN_DURATION_MS : 0 })
  observe('first-input', interact)

  for (const type of ['keydown', 'click'])
    on(
      window,
      type,
      ({ isTrusted }) => {
        if (isTrusted && reported.LCP === undefined) void nextTask(LATE_PAINT_MS).then(reportLargest)
      },
      { capture: true },
    )
  on(document, 'visibilitychange', ({ timeStamp }) => {
    if (document.visibilityState !== 'hidden') return
    hiddenAt = Math.min(hiddenAt, timeStamp)
    reportLargest()
    // Shifts in a page that was never shown don't count.
    if (reported.FCP !== undefined && supports('layout-shift')) report('CLS', shifted)
    const count = interactions() - (before ?? 0)
    report('INP', inpOf(longest, count) ?? (before !== undefined && count ? SHORTEST_MS : undefined))
  })
  // After the listener that begins the view.
  on(window, 'pageshow', event => {
    if (!(event as PageTransitionEvent).persisted) return
    loaded = view()
    id = delivery.newId()
    reported = {}
    hiddenAt = Infinity
    largest = session = undefined
    shifted = 0
    longest = new Map()
    before = interactions()
    report('TTFB', 0)
    const painted = () => {
      const shownAfter = performance.now() - event.timeStamp
      report('FCP', shownAfter)
      if (supports('largest-contentful-paint')) report('LCP', shownAfter)
    }
    requestAnimationFrame(() => requestAnimationFrame(painted))
  })
  return () => {}
}

import { type Engagement, type EngagementEvent, engage, REPORT_MS } from '../../capture/engagement.js'
import type { PluginApi } from '../../client/plugin-api.js'

const INPUTS = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchmove', 'scroll']

/** Inputs come by the hundred; one a second says as much. */
const EVERY_MS = 1_000

/**
 * Tracks `Page Engaged` {activeMs since the last one, scrollDepth 0–1}: when the view ends or hides, and after each 15
 * s of activity.
 */
export function engagement({ track, listeners, beforePage }: PluginApi): () => void {
  const now = () => performance.now()
  const start = now()
  let state: Engagement = {
    visible: document.visibilityState === 'visible',
    lastInput: start,
    countedTo: start,
    activeMs: 0,
  }
  let depth = 0
  const step = (type: EngagementEvent['type']) => {
    state = engage(state, { type, at: now() })
  }
  const measure = () => {
    const { scrollHeight } = document.documentElement
    if (scrollHeight) depth = Math.min(1, Math.max(depth, (scrollY + innerHeight) / scrollHeight))
  }
  const report = () => {
    const activeMs = Math.round(state.activeMs)
    if (activeMs > 0) track('Page Engaged', { activeMs, scrollDepth: Math.round(depth * 100) / 100 })
    step('reported')
  }
  const input = () => {
    if (now() - state.lastInput < EVERY_MS && depth) return
    measure()
    step('input')
    if (state.activeMs >= REPORT_MS) report()
  }
  const hide = () => {
    if (!depth) measure()
    step('hidden')
    report()
  }
  for (const type of INPUTS) listeners.on(window, type, input, { passive: true, capture: true })
  listeners.on(window, 'pagehide', hide)
  listeners.on(document, 'visibilitychange', () => (document.visibilityState === 'hidden' ? hide() : step('visible')))
  listeners.on(window, 'pageshow', () => step('visible'))
  beforePage(() => {
    step('input')
    report()
    depth = 0
  })
  return () => {}
}

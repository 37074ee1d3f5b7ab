/**
 * Without input for this long the visitor no longer counts as active, in milliseconds: long enough to read on between
 * two scrolls, short enough not to count a page that is merely open.
 */
export const IDLE_MS = 5_000

/** Active time after which it is reported although the page stays, in milliseconds. */
export const REPORT_MS = 15_000

/** A visitor's engagement with a page. Times are of a monotonic clock, in milliseconds: a wall clock jumps. */
export interface Engagement {
  visible: boolean
  lastInput: number
  countedTo: number
  /** Active time that isn't reported yet. */
  activeMs: number
}

/** Appearing counts as input: the visitor brought the page up. */
export type EngagementEvent = { type: 'input' | 'visible' | 'hidden' | 'reported'; at: number }

/** Returns the engagement after an event. Active is: visible, and input within `IDLE_MS`. */
export function engage(state: Engagement, { type, at }: EngagementEvent): Engagement {
  const until = Math.min(at, state.lastInput + IDLE_MS)
  const active = state.visible ? Math.max(0, until - state.countedTo) : 0
  return {
    visible: type === 'visible' || (type !== 'hidden' && state.visible),
    lastInput: type === 'input' || type === 'visible' ? at : state.lastInput,
    countedTo: at,
    activeMs: type === 'reported' ? 0 : state.activeMs + active,
  }
}

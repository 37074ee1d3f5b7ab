/** Longest pause between two layout shifts of a session, and longest session, in milliseconds. */
const PAUSE_MS = 1_000
const SESSION_MS = 5_000

/** Layout shifts that follow each other. Times are of the page's clock, in milliseconds. */
export interface ShiftSession {
  /** Sum of the shifts. */
  value: number
  startedAt: number
  lastAt: number
}

/**
 * Returns the session after a layout shift: the same one or a new one. Cumulative Layout Shift is the largest value
 * that a session reaches (https://web.dev/articles/cls).
 */
export function withShift(session: ShiftSession | undefined, value: number, at: number): ShiftSession {
  return session && at - session.lastAt < PAUSE_MS && at - session.startedAt < SESSION_MS
    ? { ...session, value: session.value + value, lastAt: at }
    : { value, startedAt: at, lastAt: at }
}

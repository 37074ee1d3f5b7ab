/** Signals of detectors; docs/signals.md says when each is found. Those of patterns have the patterns' names. */
export const SIGNALS = ['interest_shift', 'session_anomaly', 'repeated_view'] as const

export type SignalName = (typeof SIGNALS)[number]

/** Most names that a site selects. */
export const MAX_SIGNALS = 200

/** Signals that are detected in the stream; docs/signals.md says when each is found. */
export const SIGNALS = ['interest_shift', 'session_anomaly', 'repeated_view'] as const

export type SignalName = (typeof SIGNALS)[number]

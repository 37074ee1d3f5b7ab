/** Signals of detectors; docs/signals.md says when each is found. Those of patterns have the patterns' names. */
export const SIGNALS = ['interest_shift', 'session_anomaly', 'repeated_view'] as const

export type SignalName = (typeof SIGNALS)[number]

/** Signals of segments, which have their segment in `details`. */
export const SEGMENT_SIGNALS = ['segment_entered', 'segment_left'] as const

export type SegmentSignal = (typeof SEGMENT_SIGNALS)[number]

/** Most names that a site selects. */
export const MAX_SIGNALS = 200

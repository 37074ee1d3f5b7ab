import type { Experiment, Metric } from '../../site/experiments/experiment.js'

/** Request-reply subject on which what came of an experiment is asked for. */
export const RESULTS_SUBJECT = 'results'

/** Request for what came of a slot's decisions. Times are ISO 8601: from the first on, until before the second. */
export interface ResultsRequest {
  siteId: string
  slotId: string
  from: string
  to: string
  /** Absent: those held out are compared with the others. */
  experiment?: Experiment
  /** Only persons, and what they earned of this, is asked for: whatever they were shown. */
  traffic?: Metric
}

/** Sums of what the persons of an arm earned, and what the checks say. `Counted` of the core, with the SQL it was read by. */
export type ResultsReply = { counted: object; sql: Record<string, string> } | { failed: string }

/** The answer where `traffic` was asked for. `measured` has what persons earned: number, sum, and sum of the squares. */
export type TrafficReply =
  | { measured: { units: number; sum: number; squares: number }; sql: Record<string, string> }
  | { failed: string }

import { parseExperiments } from '../../site/experiments/check-experiments.js'
import type { Experiment, Metric } from '../../site/experiments/experiment.js'
import type { Check } from '../../wire/checks/check.js'
import { isObject } from '../../wire/checks/is-object.js'
import { isId, isSiteId, misfit } from '../../wire/checks/parse-stored.js'
import { parseStoredExperiments } from '../experiments.js'

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

/**
 * Sums of what the persons of an arm earned, and what the checks say. `Counted` of the core, with the SQL it was read
 * by. Of a tournament: how its candidates stood at the last look.
 */
export type ResultsReply = { counted: object; standings?: object; sql: Record<string, string> } | { failed: string }

/**
 * The answer where `traffic` was asked for. `measured` has what persons earned: number, sum, and sum of the squares.
 * `since`: when the first of them was shown something, in milliseconds since the epoch; absent: no person was, or an
 * earlier release answers.
 */
export type TrafficReply =
  | { measured: { units: number; sum: number; squares: number }; since?: number; sql: Record<string, string> }
  | { failed: string }

/** The longest text of a time. */
const LONGEST_TIME = 40

/**
 * Parses a request for results as it comes from NATS: experiment and metric as those that are stored, since they become
 * part of SQL.
 */
export function parseResultsRequest(raw: unknown): Check<ResultsRequest> {
  if (!isObject(raw)) return misfit('the request must be an object')
  const { siteId, slotId, from, to, experiment, traffic } = raw
  if (!isSiteId(siteId) || !isId(slotId)) return misfit('siteId or slotId is none')
  if (!isTime(from) || !isTime(to)) return misfit('from and to must be ISO 8601 times')
  const request = { siteId, slotId, from, to }
  if (traffic !== undefined) {
    const arms = ['control', 'other'].map(id => ({ id, share: 0.5 }))
    const checked = parseExperiments([{ id: 'traffic', slot: slotId, arms, metrics: [traffic] }])
    return checked.ok
      ? { ok: true, value: { ...request, traffic: checked.value[0]!.metrics[0]! } }
      : misfit(checked.faults[0] ?? 'traffic is no metric')
  }
  if (experiment === undefined) return { ok: true, value: request }
  const checked = parseStoredExperiments({ experiments: [experiment] })
  return checked.ok ? { ok: true, value: { ...request, experiment: checked.value[0]! } } : checked
}

function isTime(raw: unknown): raw is string {
  return typeof raw === 'string' && raw.length <= LONGEST_TIME && Number.isFinite(Date.parse(raw))
}

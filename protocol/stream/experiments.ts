import { parseExperiments } from '../site/experiments/check-experiments.js'
import type { Experiment } from '../site/experiments/experiment.js'
import type { Check } from '../wire/checks/check.js'
import { isObject } from '../wire/checks/is-object.js'
import { isSiteId, misfit } from '../wire/checks/parse-stored.js'

const KIND = 'experiments'

/** Returns the key of a site's experiments in the bucket `definitions`. */
export function experimentsKey(siteId: string): string {
  return `${siteId}.${KIND}`
}

/** Returns the site whose experiments a key of the bucket `definitions` has; undefined for any other key. */
export function siteOfExperimentsKey(key: string): string | undefined {
  const [siteId, kind, ...more] = key.split('.')
  return isSiteId(siteId) && kind === KIND && more.length === 0 ? siteId : undefined
}

/** Parses a site's experiments as the bucket `definitions` has them. */
export function parseStoredExperiments(raw: unknown): Check<Experiment[]> {
  if (!isObject(raw)) return misfit('experiments must be a JSON object')
  const parsed = parseExperiments(raw.experiments)
  return parsed.ok ? parsed : misfit(parsed.faults[0] ?? 'it has faults')
}

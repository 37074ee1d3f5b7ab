import type { Estimate } from './interval.js'

/** Kinds of reasons why a value cannot be relied on. */
export const REFUSAL_CODES = [
  'unknown_chances',
  'zero_support',
  'corrupt_propensities',
  'low_sample',
  'low_overlap',
  'estimators_disagree',
] as const

/** Reason why a value cannot be relied on, with what would cure it. */
export interface Refusal {
  code: (typeof REFUSAL_CODES)[number]
  reason: string
  cure: string
}

/** Measures of how far a log can value a policy. */
export interface Diagnostics {
  rows: number
  /** Effective sample size (Kish): (Σw)² / Σw². */
  ess: number
  /** Share of the policy's chances that are for actions which the log had a chance to show. */
  overlap: number
  maxWeight: number
  meanWeight: number
  /** Standard error of `meanWeight`, by the weights themselves. */
  weightError: number
  /** The same, by the chances that are recorded for all content. Undefined: they are not */
  expectedError?: number | undefined
  /** Share of rows where the policy would show something. */
  shown: number
  /** Rows whose logged chance is none. */
  impossible: number
  /** Rows of which the log does not say what could be shown. */
  unlisted: number
  /** Error of the mean weight that rounding of the logged chances explains, at most. */
  rounding: number
}

/** Least effective sample size, in rows and as a share of them. */
const LEAST_ESS = 1_000
const LEAST_ESS_SHARE = 0.01
const LEAST_OVERLAP = 0.8

/** Standard errors by which the mean weight may differ from what it must be, and what sums of doubles explain. */
const MOST_ERRORS = 3
const ROUNDING = 1e-6

/** Returns why there is nothing to estimate: the log has no such actions, or wrong chances. */
export function refuseEstimates(diagnostics: Diagnostics): Refusal | undefined {
  const { overlap, ess, impossible, rows, meanWeight, weightError, expectedError = 0, shown, unlisted } = diagnostics
  if (impossible > 0)
    return corrupt(`${impossible} of ${rows} rows have a logged chance that is not above 0 and at most 1`)
  if (!(overlap > 0 && ess > 0))
    return {
      code: 'zero_support',
      reason: `nothing of what the policy would show was ever shown at that position in these ${rows} rows`,
      cure: 'let some share of draws, such as exploration.atLeast 0.02, show the content the policy needs, and log again',
    }
  if (offBy(diagnostics) > MOST_ERRORS * Math.max(weightError, expectedError))
    return corrupt(
      `the mean weight is ${digits(meanWeight)}, which chance does not explain: it must be ${digits(shown)} with a ` +
        `standard error of ${digits(Math.max(weightError, expectedError))}`,
      unlisted > 0 ? UNLISTED : '',
    )
  return undefined
}

const UNLISTED =
  '. Where not all content could be shown each time, log what could be, in a column candidates, or in draw and policy_version ' +
  'as --slot and the query of docs/evaluation.md have them'

/**
 * Returns how far the mean weight is from what it must be; 0 where rounding explains it. What the log never shows is
 * missing from the weights, so their mean is the share that it does show, at least.
 */
function offBy({ meanWeight, overlap, shown, rounding }: Diagnostics): number {
  const off = Math.max(meanWeight - shown, overlap * shown - meanWeight)
  return off > Math.max(ROUNDING, rounding) ? off : 0
}

/** Returns why estimates cannot be relied on. */
export function refuseReliance(
  diagnostics: Diagnostics,
  estimates: Record<'ips' | 'snips' | 'dr', Estimate>,
): Refusal | undefined {
  const { overlap } = diagnostics
  const refused = refuseSupport(diagnostics) ?? refuseNoise(diagnostics, estimates)
  const pair = refused ? undefined : disagreeing(estimates)
  if (pair)
    return {
      code: 'estimators_disagree',
      reason: `the intervals of ${pair.join(' and ')} have nothing in common: ${
        overlap < 1
          ? `IPS counts ${percent(1 - overlap)} that were never shown as nothing`
          : 'an assumption of theirs is wrong'
      }`,
      cure: 'check that each propensity is that of the draw and each reward that of its row; then compare in an experiment',
    }
  return refused
}

/** Returns why there is too little that estimates can be made of. */
export function refuseSupport({ rows, ess, overlap }: Diagnostics): Refusal | undefined {
  const needed = Math.max(LEAST_ESS, LEAST_ESS_SHARE * rows)
  if (ess < needed)
    return {
      code: 'low_sample',
      reason:
        `the effective sample size is ${digits(ess)} of ${rows} rows, at least ${digits(needed)} are needed ` +
        '(1,000 and 1 %): few rows carry the estimate',
      cure: cureOfSample(rows, ess),
    }
  if (overlap < LEAST_OVERLAP)
    return {
      code: 'low_overlap',
      reason:
        `${percent(1 - overlap)} of what the policy would show was never shown at that position: ` +
        `the overlap is ${digits(overlap)}, at least ${LEAST_OVERLAP} is needed`,
      cure: 'explore that content, too, before you log, or value a policy that leaves it out',
    }
  return undefined
}

/** Returns why rows do not tell what they seem to: what matters is so rare that it came by chance, or did not come. */
function refuseNoise(diagnostics: Diagnostics, { ips }: Record<'ips', Estimate>): Refusal | undefined {
  const { rows, meanWeight, weightError, shown } = diagnostics
  const cure = 'value it by more rows, explore more, or value a policy that is closer to the one that logged'
  if (offBy(diagnostics) > MOST_ERRORS * weightError)
    return {
      code: 'low_sample',
      reason: `what the policy would show was drawn so rarely that these ${rows} rows do not stand for it: the mean weight is ${digits(meanWeight)} instead of ${digits(shown)}`,
      cure,
    }
  if (ips.value === 0 && ips.low === ips.high)
    return {
      code: 'low_sample',
      reason: `none of the ${rows} rows earned anything with what the policy would show, so intervals have no width`,
      cure: `${cure}. Check that the log has rewards`,
    }
  return undefined
}

function corrupt(reason: string, more = ''): Refusal {
  return {
    code: 'corrupt_propensities',
    reason: `the logged chances cannot be those that were drawn by: ${reason}`,
    cure: `log the chance of each draw as it was drawn, with all rows of a decision and none of them twice${more}`,
  }
}

function cureOfSample(rows: number, ess: number): string {
  const explore = 'explore more, or value a policy that is closer to the one that logged'
  if (!(ess > 0) || ess / rows < LEAST_ESS_SHARE) return explore
  return `value it by ${Math.ceil((LEAST_ESS / ess) * rows).toLocaleString('en')} rows like these, ${explore}`
}

function disagreeing(estimates: Record<'ips' | 'snips' | 'dr', Estimate>): [string, string] | undefined {
  const { ips, snips, dr } = estimates
  const named = [['ips', ips] as const, ['snips', snips] as const, ['dr', dr] as const]
  for (const [name, estimate] of named)
    for (const [otherName, other] of named)
      if (estimate.low - other.high > 1e-9 * Math.max(Math.abs(estimate.low), Math.abs(other.high)))
        return [otherName, name]
  return undefined
}

function digits(value: number): string {
  return String(Number(value.toPrecision(6)))
}

function percent(share: number): string {
  return `${digits(100 * share)} %`
}

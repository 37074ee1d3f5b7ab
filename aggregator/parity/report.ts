import { type Comparison, OUTCOMES, type Outcome } from './compare-values.js'

/** Differences that a report repeats in full, of each feature, at most: one lost profile differs in all of them. */
const MAX_EXAMPLES = 5

/** Reasons why a sampled person was not compared. */
export const SKIPS = ['retention', 'unloaded', 'unanswered', 'empty'] as const

/**
 * `retention`: messages of theirs are older than what the site keeps. `unloaded`: ClickHouse does not have all of what
 * the profile has yet. `unanswered`: no owner answered. `empty`: neither the tables nor the profiles have anything of
 * them any more.
 */
export type Skip = (typeof SKIPS)[number]

/** One feature over all persons of a sample. */
export interface FeatureParity extends Record<Outcome, number> {
  feature: string
  /** Greatest error, and the mean over all that were compared, see `Comparison`. */
  maxError: number
  meanError: number
}

/** One difference, to look into. */
export interface Example {
  visitor: string
  feature: string
  expected: unknown
  found: unknown
  error: number
}

/** The result of comparing a sample of a site's persons. */
export interface ParityReport {
  site: string
  /** The time at which values were taken, ISO 8601. */
  at: string
  /** Persons of the sample, those of them that were compared, and those of them of whom anything differed. */
  sampled: number
  compared: number
  different: number
  skipped: Record<Skip, number>
  /** Reason why the first of those could not be read for whom no owner answered; absent where all did. */
  why?: string
  /** By name. */
  features: FeatureParity[]
  examples: Example[]
}

/** A report while persons are added to it. */
export interface Tally {
  skip(reason: Skip, why?: string): void
  /** Adds a person's features by name. */
  add(visitor: string, features: ReadonlyMap<string, Compared>): void
  report(): ParityReport
}

/** A feature while persons are added: the sum of its errors, and how many of them are listed. */
interface FeatureSum extends FeatureParity {
  errors: number
  examples: number
}

/** A comparison with the values that were compared. */
export interface Compared extends Comparison {
  expected: unknown
  found: unknown
}

/** Returns whether something of a person differs. */
export function isFault({ outcome }: Pick<Comparison, 'outcome'>): boolean {
  return outcome !== 'match' && outcome !== 'uncertain'
}

/** Begins a report. */
export function createTally(site: string, at: string): Tally {
  const skipped = Object.fromEntries(SKIPS.map(reason => [reason, 0])) as Record<Skip, number>
  const features = new Map<string, FeatureSum>()
  const examples: Example[] = []
  let firstWhy: string | undefined
  let compared = 0
  let different = 0

  function featureOf(feature: string): FeatureSum {
    const outcomes = Object.fromEntries(OUTCOMES.map(outcome => [outcome, 0])) as Record<Outcome, number>
    const sum = features.get(feature) ?? { feature, ...outcomes, maxError: 0, meanError: 0, errors: 0, examples: 0 }
    features.set(feature, sum)
    return sum
  }

  return {
    skip(reason, why) {
      skipped[reason]++
      firstWhy ??= why
    },
    add(visitor, values) {
      compared++
      let hasFault = false
      for (const [feature, { outcome, error, expected, found: actual }] of values) {
        const sum = featureOf(feature)
        sum[outcome]++
        if (outcome === 'uncertain') continue
        sum.errors += error
        sum.maxError = Math.max(sum.maxError, error)
        if (outcome === 'match') continue
        hasFault = true
        if (sum.examples++ < MAX_EXAMPLES) examples.push({ visitor, feature, expected, found: actual, error })
      }
      if (hasFault) different++
    },
    report() {
      const all = [...features.values()].map(({ errors, examples: _listed, ...feature }) => ({
        ...feature,
        meanError: errors / Math.max(1, compared - feature.uncertain),
      }))
      const sampled = compared + Object.values(skipped).reduce((sum, count) => sum + count, 0)
      const why = firstWhy === undefined ? {} : { why: firstWhy }
      return { site, at, sampled, compared, different, skipped, ...why, features: all.sort(byName), examples }
    },
  }
}

function byName(a: FeatureParity, b: FeatureParity): number {
  return a.feature < b.feature ? -1 : 1
}

import type { PolicySpec } from '@slotstream/protocol'
import type { DecisionLog } from '../decision-log.js'
import type { Refusal } from '../refusal.js'
import type { ContentFactsById } from './content-facts.js'

/**
 * Returns why a policy's chances do not follow from a log, or undefined where they do.
 *
 * @param policy undefined: the default policy
 */
export function missingFor(
  policy: PolicySpec | undefined,
  log: DecisionLog,
  contents: ContentFactsById,
): Refusal | undefined {
  switch (policy?.type) {
    case 'fixed':
    case 'random':
      return undefined
    case 'weighted':
      // Without any content each weight is 1, as that of a content that names none.
      return contents.size === 0 ? undefined : missingContents('the weight', log, contents)
    case 'affinity':
      return (
        missingContents('the category', log, contents) ??
        missingInterests(log) ??
        ('popularity' in policy ? missingTime(log) : undefined)
      )
    case 'popular':
    case 'trending':
      return (policy.bySegment === true ? missingFacts('segments', policy.type, log) : undefined) ?? missingTime(log)
    case 'thompson':
      return missingTime(log)
    case 'covisitation':
    case 'knn':
    case 'ease':
      return missingFacts('items', policy.type, log) ?? missingTime(log)
    case 'ensemble':
      for (const arm of policy.policies) {
        const refused = missingFor(arm.policy, log, contents)
        if (refused) return refused
      }
      return undefined
    default:
      return (
        missingContents('category, brand, tags and price', log, contents) ??
        missingInterests(log) ??
        missingFacts('tokens', policy?.type ?? 'the default policy', log) ??
        missingTime(log)
      )
  }
}

/** Facts about a person that policies read, in words. */
const FACTS = {
  tokens: 'context, interests, segments, traits and features',
  segments: 'the segments of the person',
  items: 'the items of the person',
} as const

function missingFacts(kind: keyof typeof FACTS, name: string, { situations }: DecisionLog): Refusal | undefined {
  const missing = situations.filter(({ known: recorded }) => recorded?.[kind] === undefined).length
  return missingWhere(
    missing > 0,
    `${name} chooses by ${FACTS[kind]}, which the column known does not have in ${missing} of ${situations.length} situations`,
    `let the slot follow an ensemble in which ${name} has a small share: then each record has what it reads. Export the log with ` +
      'known, and leave out decisions of before with --from; or compare it in an experiment',
  )
}

function missingInterests({ situations }: DecisionLog): Refusal | undefined {
  return missingWhere(
    !situations.every(({ affinities }) => affinities),
    "it chooses by the person's interests, and the log has no column affinities",
    'export decisions with features.affinities, as docs/evaluation.md shows',
  )
}

function missingTime({ time }: DecisionLog): Refusal | undefined {
  return missingWhere(
    time === undefined,
    'it learns from what came before, and the log has no column timestamp',
    'export the log with timestamp, in the order of time',
  )
}

function missingContents(what: string, { ids }: DecisionLog, contents: ContentFactsById): Refusal | undefined {
  const missing = ids.filter(id => !contents.has(id))
  return missingWhere(
    missing.length > 0,
    `it needs ${what} of content, which is not given for ${missing.length} of ${ids.length}: ${missing.slice(0, 3).join(', ')}`,
    'give the content as it is in the catalog with --content FILE',
  )
}

function missingWhere(isMissing: boolean, reason: string, cure: string): Refusal | undefined {
  return isMissing
    ? { code: 'unknown_chances', reason: `the policy's chances cannot be known: ${reason}`, cure }
    : undefined
}

import type { PolicySpec } from '@slotstream/protocol'
import type { DecisionLog } from '../decision-log.js'
import type { Refusal } from '../refusal.js'
import type { ContentFactsById } from './content-facts.js'

/** Returns why a policy's chances do not follow from a log, or undefined where they do. */
export function missingFor(policy: PolicySpec, log: DecisionLog, contents: ContentFactsById): Refusal | undefined {
  switch (policy.type) {
    case 'fixed':
    case 'random':
      return undefined
    case 'weighted':
      return missingContents('the weight', log, contents)
    case 'affinity':
      return (
        missingContents('the category', log, contents) ??
        missingWhere(
          !log.situations.every(({ affinities }) => affinities),
          "it chooses by the person's interests, and the log has no column affinities",
          'export decisions with features.affinities, as docs/evaluation.md shows',
        ) ??
        ('popularity' in policy ? missingTime(log) : undefined)
      )
    case 'popular':
    case 'trending':
      return (
        missingWhere(
          policy.bySegment === true,
          'bySegment chooses by the segments of the person, which the log does not hold',
          'value it without bySegment, or compare it in an experiment',
        ) ?? missingTime(log)
      )
    case 'thompson':
      return (
        missingWhere(
          log.situations.some(({ above }) => above.length > 0),
          'at several positions it draws by samples of the posterior that are made for each decision',
          'value it by the first position alone, or compare it in an experiment',
        ) ?? missingTime(log)
      )
    case 'ensemble':
      return missingWhere(
        true,
        'it follows another policy for each person',
        'value each of its policies: its own value is their mean, by their shares',
      )
    default:
      return missingWhere(
        true,
        `${policy.type} chooses by what was known of person and request, and by a model, which the log does not hold`,
        'compare it in an experiment, or give it a share of persons with ensemble',
      )
  }
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

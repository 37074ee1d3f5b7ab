import type { Experiment, PolicySpec } from '@slotstream/protocol'
import type { ItemPolicy } from '../policies/proposal.js'

/** Facts that a policy needs to choose. */
export interface PolicyNeeds {
  /** Sums over the outcomes of earlier decisions of the slot. */
  sums: boolean
  /** Hashed features of person and request, for the linear model. */
  features: boolean
  /** Interest by category. */
  affinities: boolean
  segments: boolean
  /** Items the person had to do with. */
  items: boolean
}

const NOTHING: PolicyNeeds = { sums: false, features: false, affinities: false, segments: false, items: false }

/** Returns what a policy needs; an ensemble needs what any of its policies needs. */
export function needsOf(policy: PolicySpec | undefined): PolicyNeeds {
  switch (policy?.type) {
    case undefined:
    case 'contextual':
      return { ...NOTHING, sums: true, features: true, affinities: true, segments: true }
    case 'thompson':
      return { ...NOTHING, sums: true }
    case 'popular':
    case 'trending':
      return { ...NOTHING, sums: true, segments: policy?.bySegment === true }
    case 'affinity':
      return { ...NOTHING, affinities: true, sums: 'popularity' in policy! && policy.popularity }
    case 'covisitation':
    case 'knn':
    case 'ease':
      return { ...NOTHING, items: true }
    case 'ensemble':
      return policy!.policies.map(arm => needsOf(arm.policy)).reduce(either, NOTHING)
    default:
      return NOTHING
  }
}

/** Returns the types of policies in a policy that rank by a matrix of items, each once. */
export function itemPoliciesOf(policy: PolicySpec | undefined): ItemPolicy[] {
  if (policy?.type === 'ensemble') return [...new Set(policy.policies.flatMap(arm => itemPoliciesOf(arm.policy)))]
  return needsOf(policy).items ? [policy!.type as ItemPolicy] : []
}

/**
 * Returns what the candidates of a slot's tournaments need, while none of them is tried: it is recorded, so that they
 * can be valued by the log. Undefined: there are none
 */
export function needsOfCandidates(
  slotId: string,
  experiments: readonly Pick<Experiment, 'slot' | 'arms' | 'tournament' | 'stopped'>[],
): PolicyNeeds | undefined {
  const waiting = experiments.filter(
    ({ slot, tournament, stopped }) => slot === slotId && tournament && tournament.arm === undefined && !stopped,
  )
  if (waiting.length === 0) return undefined
  const policies = waiting.flatMap(({ arms }) => arms.flatMap(({ policy }) => policy ?? []))
  return policies.map(needsOf).reduce(either, NOTHING)
}

function either(a: PolicyNeeds, b: PolicyNeeds): PolicyNeeds {
  return {
    sums: a.sums || b.sums,
    features: a.features || b.features,
    affinities: a.affinities || b.affinities,
    segments: a.segments || b.segments,
    items: a.items || b.items,
  }
}

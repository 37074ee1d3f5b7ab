import {
  type Candidate,
  type Content,
  type DecisionRecord,
  type Outcome,
  type Policy,
  type Profile,
  parseDuration,
  type Slot,
  shareOf,
} from '@slotstream/protocol'
import { featuresAskedFor, score } from '../policies/score.js'
import { decayedTo } from '../profile/affinities.js'
import { chances, draw } from './draw.js'
import { eligibleAt } from './eligible.js'
import { seededRandom } from './random.js'

/** Everything a choice depends on. */
export interface Question {
  siteId: string
  visitorId: string
  /** Undefined: the visitor is new. */
  profile: Profile | undefined
  slot: Slot
  /** For how long the profile may have lacked messages, in milliseconds. Default 0 */
  ageMs?: number
  /** Content of the catalog for this slot. */
  contents: Content[]
  /** Names this state of the slot's policy and content. */
  policyVersion: string
  /** How many items are wanted. Default: the slot's own count. */
  count?: number
  /** Milliseconds since the epoch. */
  now: number
  seed: string
}

/** A choice, and what it takes to explain it: the part of a `DecisionRecord` that the policy answers for. */
export type Choice = Pick<
  DecisionRecord,
  'policy' | 'policyVersion' | 'holdout' | 'contentIds' | 'propensities' | 'candidates' | 'excluded' | 'seed'
> & {
  outcome: Extract<Outcome, 'served' | 'holdout' | 'stale' | 'empty'>
  features: {
    affinities: Record<string, number>
    /** Share of draws that any candidate could win. Here because the draw can't be repeated without it. */
    exploration: number
    /** Age of each feature that the policy asks for, in milliseconds. Absent: it asks for none. */
    ages?: Record<string, number>
  }
  /** Whether something was shown although something else scored higher. */
  explored: boolean
}

/**
 * Chooses for one slot. Pure: the same question has the same answer. The holdout is asked before anything is drawn,
 * so that it doesn't depend on the catalog; its candidates are recorded all the same.
 */
export function decide(question: Question): Choice {
  const {
    siteId,
    visitorId,
    profile,
    ageMs = 0,
    slot,
    contents,
    policyVersion,
    count = slot.count,
    now,
    seed,
  } = question
  const affinities = profile ? decayedTo(now, { values: profile.affinities, at: Date.parse(profile.affinitiesAt) }) : {}
  const { eligible, excluded } = eligibleAt(now, contents)
  const policy = scoringPolicy(slot)
  const { candidates, exploration } = score(policy, eligible, { affinities })
  const holdout = isHeldOut(siteId, visitorId, slot)
  const asked = featuresAskedFor(policy)
  const isStale = asked.length > 0 && ageMs > maxAgeOf(slot)
  const drawn = draw(candidates, exploration, holdout || isStale ? 0 : count, seededRandom(seed))
  return {
    outcome: holdout ? 'holdout' : isStale ? 'stale' : drawn.contentIds.length > 0 ? 'served' : 'empty',
    holdout,
    ...drawn,
    candidates: withChances(candidates, exploration),
    excluded,
    features: {
      affinities,
      exploration,
      ...(asked.length > 0 && { ages: Object.fromEntries(asked.map(name => [name, ageMs])) }),
    },
    policy: policy.type,
    policyVersion,
    seed,
  }
}

/** Returns the slot's policy as far as it only scores. */
function scoringPolicy({ policy }: Slot): Policy {
  const isScoring = policy && (policy.type === 'affinity' || policy.type === 'random' || policy.type === 'fixed')
  return isScoring ? policy : { type: 'affinity', exploration: 0.1 }
}

/** Returns the greatest age of features that a slot takes, in milliseconds. */
function maxAgeOf({ maxAge }: Slot): number {
  return (maxAge === undefined ? undefined : parseDuration(maxAge)) ?? Number.POSITIVE_INFINITY
}

/** Whether the visitor belongs to the control group of the slot. */
export function isHeldOut(siteId: string, visitorId: string, slot: Slot): boolean {
  return shareOf('holdout', siteId, visitorId) < slot.holdout
}

function withChances(candidates: { contentId: string; score: number }[], exploration: number): Candidate[] {
  const probabilities = chances(candidates, exploration)
  return candidates.map((candidate, index) => ({ ...candidate, probability: probabilities[index] ?? 0 }))
}

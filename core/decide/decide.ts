import {
  type Candidate,
  type Content,
  type DecisionRecord,
  type Outcome,
  type Profile,
  type Slot,
  shareOf,
} from '@slotstream/protocol'
import { score } from '../policies/score.js'
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
  outcome: Extract<Outcome, 'served' | 'holdout' | 'empty'>
  features: {
    affinities: Record<string, number>
    /** Share of draws that any candidate could win. Here because the draw can't be repeated without it. */
    exploration: number
  }
  /** Whether something was shown although something else scored higher. */
  explored: boolean
}

/**
 * Chooses for one slot. Pure: the same question has the same answer. The holdout is asked before anything is drawn,
 * so that it doesn't depend on the catalog; its candidates are recorded all the same.
 */
export function decide(question: Question): Choice {
  const { siteId, visitorId, profile, slot, contents, policyVersion, count = slot.count, now, seed } = question
  const affinities = profile ? decayedTo(now, { values: profile.affinities, at: Date.parse(profile.affinitiesAt) }) : {}
  const { eligible, excluded } = eligibleAt(now, contents)
  const { candidates, exploration } = score(slot.policy, eligible, { affinities })
  const holdout = isHeldOut(siteId, visitorId, slot)
  const drawn = draw(candidates, exploration, holdout ? 0 : count, seededRandom(seed))
  return {
    outcome: holdout ? 'holdout' : drawn.contentIds.length > 0 ? 'served' : 'empty',
    holdout,
    ...drawn,
    candidates: withChances(candidates, exploration),
    excluded,
    features: { affinities, exploration },
    policy: slot.policy.type,
    policyVersion,
    seed,
  }
}

/** Whether the visitor belongs to the control group of the slot. */
export function isHeldOut(siteId: string, visitorId: string, slot: Slot): boolean {
  return shareOf('holdout', siteId, visitorId) < slot.holdout
}

function withChances(candidates: { contentId: string; score: number }[], exploration: number): Candidate[] {
  const probabilities = chances(candidates, exploration)
  return candidates.map((candidate, index) => ({ ...candidate, probability: probabilities[index] ?? 0 }))
}

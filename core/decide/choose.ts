import type { PolicySpec } from '@slotstream/protocol'
import { drawSlate } from '../draw/draw-slate.js'
import { chancesOf } from '../draw/lottery.js'
import type { Proposal, ProposalInput } from '../policies/proposal.js'
import { propose } from '../policies/propose.js'
import { seededRandom } from './random.js'

/** A choice for one slot, with what it takes to explain it and to draw it again. */
export interface PolicyChoice extends Proposal {
  contentIds: string[]
  /** Of each of `contentIds`: its chance for its position, given those before it, in units of `PROBABILITY_SCALE`. */
  propensities: number[]
  /** Of each candidate: its chance for the first position, in units of `PROBABILITY_SCALE`. Empty without candidates. */
  probabilities: number[]
  /** Whether something was shown although something else had a higher score. */
  explored: boolean
}

/**
 * Chooses by a policy. The draw is that of `drawSlate` by the proposal's lottery and the seed, so that it can be repeated from
 * these alone.
 *
 * @param policy undefined: the default policy
 */
export function choose(policy: PolicySpec | undefined, input: ProposalInput): PolicyChoice {
  const proposal = propose(policy, input)
  const { candidates, scores, lottery } = proposal
  const { drawn, propensities } = drawSlate(lottery, candidates.length, input.count, seededRandom(input.seed))
  return {
    ...proposal,
    contentIds: drawn.map(index => input.eligible[candidates[index]!]!.id),
    propensities,
    probabilities: candidates.length > 0 ? chancesOf(lottery, [...candidates.keys()]) : [],
    explored: isExploration(scores, drawn),
  }
}

/** Whether a position shows something although something else that was left has a higher score. */
function isExploration(scores: readonly number[], drawn: readonly number[]): boolean {
  const rest = new Set(scores.keys())
  return drawn.some(index => {
    const best = [...rest].reduce((most, other) => Math.max(most, scores[other]!), Number.NEGATIVE_INFINITY)
    rest.delete(index)
    return scores[index]! < best
  })
}

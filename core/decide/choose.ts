import type { PolicySpec } from '@slotstream/protocol'
import { drawSlate } from '../draw/draw-slate.js'
import type { Proposal, ProposalInput } from '../policies/proposal.js'
import { propose } from '../policies/propose.js'
import { seededRandom } from './random.js'

/** A choice for one slot, with what it takes to explain it and to draw it again. */
export interface PolicyChoice extends Proposal {
  contentIds: string[]
  /** Of each of `contentIds`: its chance for its position, given those before it, in units of `PROBABILITY_SCALE`. */
  propensities: number[]
  /** Of each candidate: its chance for the first position, in units of `PROBABILITY_SCALE`. Empty where nothing is drawn. */
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
  const { drawn, propensities, probabilities } = drawSlate(
    lottery,
    candidates.length,
    input.count,
    seededRandom(input.seed),
  )
  return {
    ...proposal,
    contentIds: drawn.map(index => input.eligible[candidates[index]!]!.id),
    propensities,
    probabilities,
    explored: isExploration(scores, drawn),
  }
}

/** Whether a position shows something although something else that was left has a higher score. */
function isExploration(scores: readonly number[], drawn: readonly number[]): boolean {
  const shown = new Set<number>()
  return drawn.some(index => {
    let best = Number.NEGATIVE_INFINITY
    for (let other = 0; other < scores.length; other++)
      if (scores[other]! > best && !shown.has(other)) best = scores[other]!
    shown.add(index)
    return scores[index]! < best
  })
}

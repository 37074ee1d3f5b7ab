import type { PolicySpec } from '@slotstream/protocol'
import { drawSlate } from '../draw/draw-slate.js'
import type { Proposal, ProposalInput } from '../policies/proposal.js'
import { propose } from '../policies/propose.js'
import { seededRandom } from './random.js'

/** A choice for one slot, with everything that is needed to explain it and to draw it again. */
export interface PolicyChoice extends Proposal {
  contentIds: string[]
  /** For each of `contentIds`: its chance for its position, given those before it, in units of `PROBABILITY_SCALE`. */
  propensities: number[]
  /**
   * For each candidate: its chance for the first position, in units of `PROBABILITY_SCALE`. Empty where nothing is
   * drawn.
   */
  probabilities: number[]
  /** Whether something was shown although something else was more likely. */
  explored: boolean
}

/**
 * Chooses by a policy. `drawSlate` draws by the proposal's lottery and the seed, so that the draw can be repeated from
 * these two alone.
 *
 * @param policy undefined: the default policy
 */
export function choose(policy: PolicySpec | undefined, input: ProposalInput): PolicyChoice {
  const proposal = propose(policy, input)
  const { candidates, lottery } = proposal
  const { drawn, ...slate } = drawSlate(lottery, candidates.length, input.count, seededRandom(input.seed))
  return {
    contentIds: drawn.map(index => input.eligible[candidates[index]!]!.id),
    ...proposal,
    ...slate,
  }
}

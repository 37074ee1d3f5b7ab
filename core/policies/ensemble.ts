import { type PolicySpec, shareOf } from '@slotstream/protocol'
import type { Proposal, ProposalInput } from './proposal.js'

/**
 * Follows one of several policies. Which one depends on the person and the slot alone, so that a person stays with it;
 * propensities are those of the policy that is followed.
 *
 * @param propose proposes by any policy
 * @param depth number of ensembles around this one. Default 0
 */
export function proposeByEnsemble(
  policies: readonly { share: number; policy: PolicySpec }[],
  input: ProposalInput,
  propose: (policy: PolicySpec, input: ProposalInput) => Proposal,
  depth = 0,
): Proposal {
  const { siteId, slotId, person } = input
  const total = policies.reduce((sum, { share }) => sum + share, 0)
  const point = shareOf(`ensemble\0${slotId}\0${depth}`, siteId, person.personId) * total
  let arm = 0
  for (let end = 0; arm < policies.length - 1; arm++) {
    end += policies[arm]!.share
    if (point < end) break
  }
  const { policy } = policies[arm]!
  const proposal =
    policy.type === 'ensemble' ? proposeByEnsemble(policy.policies, input, propose, depth + 1) : propose(policy, input)
  return { ...proposal, arms: [arm, ...(proposal.arms ?? [])] }
}

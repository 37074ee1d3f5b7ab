import type { PolicySpec } from '@slotstream/protocol'
import { proposeByAffinity } from './affinity.js'
import { proposeByContext } from './bandits/contextual.js'
import { proposeByDefault } from './bandits/default.js'
import { proposeByThompson } from './bandits/thompson.js'
import { proposeByEnsemble } from './ensemble.js'
import { proposeByList } from './fixed.js'
import type { Proposal, ProposalInput } from './proposal.js'
import { proposeAny } from './random.js'
import { proposeByCovisitation } from './ranking/covisitation.js'
import { proposeByEase } from './ranking/ease.js'
import { proposeByNeighbours } from './ranking/knn.js'
import { proposeByPopularity } from './ranking/popular.js'
import { proposeByPopularAffinity } from './ranking/popular-affinity.js'
import { proposeByTrend } from './ranking/trending.js'
import { proposeByWeight } from './weighted.js'

/**
 * Proposes by a policy: which content can be drawn, and with which chances. Pure: the same input has the same answer.
 *
 * @param policy undefined: the default policy
 */
export function propose(policy: PolicySpec | undefined, input: ProposalInput): Proposal {
  if (policy === undefined) return proposeByDefault({ type: 'default' }, input)
  switch (policy.type) {
    case 'fixed':
      return proposeByList(policy, input)
    case 'random':
      return proposeAny(policy, input)
    case 'affinity':
      return 'popularity' in policy ? proposeByPopularAffinity(policy, input) : proposeByAffinity(policy, input)
    case 'weighted':
      return proposeByWeight(policy, input)
    case 'popular':
      return proposeByPopularity(policy, input)
    case 'trending':
      return proposeByTrend(policy, input)
    case 'covisitation':
      return proposeByCovisitation(policy, input)
    case 'knn':
      return proposeByNeighbours(policy, input)
    case 'ease':
      return proposeByEase(policy, input)
    case 'thompson':
      return proposeByThompson(policy, input)
    case 'contextual':
      return proposeByContext(policy, input)
    case 'ensemble':
      return proposeByEnsemble(policy.policies, input, propose)
  }
}

import type { Content, Policy, PolicySpec } from '@slotstream/protocol'
import { ranksOf } from '../draw/rank.js'
import { proposeByContext } from './bandits/contextual.js'
import { proposeByDefault } from './bandits/default.js'
import { proposeByThompson } from './bandits/thompson.js'
import { proposeByEnsemble } from './ensemble.js'
import type { Proposal, ProposalInput } from './proposal.js'
import { proposeByCovisitation } from './ranking/covisitation.js'
import { proposeByEase } from './ranking/ease.js'
import { proposeByNeighbours } from './ranking/knn.js'
import { proposeByPopularity } from './ranking/popular.js'
import { proposeByPopularAffinity } from './ranking/popular-affinity.js'
import { proposeByTrend } from './ranking/trending.js'
import { score } from './score.js'
import { proposeByWeight } from './weighted.js'

/**
 * Proposes by a policy: which content can be drawn, and with what chances. Pure: the same input has the same answer.
 *
 * @param policy undefined: the default policy
 */
export function propose(policy: PolicySpec | undefined, input: ProposalInput): Proposal {
  if (policy === undefined) return proposeByDefault({ type: 'default' }, input)
  switch (policy.type) {
    case 'fixed':
    case 'random':
      return proposeByScore(policy, input)
    case 'affinity':
      return 'popularity' in policy ? proposeByPopularAffinity(policy, input) : proposeByScore(policy, input)
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

/** Proposes by a policy that only scores, as it has since before policies learned. */
function proposeByScore(policy: Policy, { eligible, person }: ProposalInput): Proposal {
  const numbers = new Map(eligible.map(({ id }, index) => [id, index]))
  const contents = eligible as readonly Pick<Content, 'id' | 'category'>[] as Content[]
  const { candidates, exploration } = score(policy, contents, { affinities: person.affinities ?? {} })
  const scores = candidates.map(candidate => candidate.score)
  return {
    candidates: candidates.map(({ contentId }) => numbers.get(contentId)!),
    scores,
    lottery: { rule: 'ranked', exploration, ranks: ranksOf(scores) },
  }
}

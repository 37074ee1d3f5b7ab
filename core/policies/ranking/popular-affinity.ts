import { ranksOf } from '../../draw/rank.js'
import { interestShares } from '../../learning/features/interest.js'
import { type Propose, rankedProposal } from '../proposal.js'
import { ratesOf } from './rates.js'

/** Interest that every category has: what is popular with all may be better than what is liked a little. */
const COMMON_SHARE = 0.1

/**
 * Ranks content by affinity times popularity: the category's share in the person's interests, times the mean reward of
 * a view of the content. Affinity alone is five times worse than popularity (docs/policies.md).
 */
export const proposeByPopularAffinity: Propose<{ type: 'affinity'; exploration: number; popularity: true }> = (
  policy,
  input,
) => {
  const { eligible, person, model } = input
  const shareOf = interestShares(person.affinities)
  const rates = model && model.contents.total.rewards > 0 ? ratesOf(model.contents, input, []) : eligible.map(() => 1)
  const scores = eligible.map(({ category }, index) => (COMMON_SHARE + shareOf(category)) * rates[index]!)
  return rankedProposal(scores, ranksOf(scores), policy.exploration)
}

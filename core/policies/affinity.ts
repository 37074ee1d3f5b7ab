import { ranksOf } from '../draw/rank.js'
import { interestShares } from '../learning/features/interest.js'
import { type Propose, rankedProposal } from './proposal.js'

/**
 * Ranks content by the share of its category in the person's interests. For a newcomer all are equal, so the draw is
 * uniform. Content of one category ties, so a slot with several items shows the favourite category first.
 */
export const proposeByAffinity: Propose<{ type: 'affinity'; exploration: number }> = (
  { exploration },
  { eligible, person },
) => {
  const shareOf = interestShares(person.affinities)
  const scores = eligible.map(({ category }) => shareOf(category))
  return rankedProposal(scores, ranksOf(scores), exploration)
}

import { ranksOf } from '../../draw/rank.js'
import { type Propose, rankedProposal } from '../proposal.js'
import { ratesOf } from './rates.js'

/** Ranks content by the recent mean reward of a view, decayed with the half-life of trends, see `readModel`. */
export const proposeByTrend: Propose<{ type: 'trending'; bySegment?: boolean }> = ({ bySegment }, input) => {
  const { person, model, exploration } = input
  const scores = ratesOf(model?.trend, input, bySegment ? (person.segments ?? []) : [])
  return rankedProposal(scores, ranksOf(scores), exploration)
}

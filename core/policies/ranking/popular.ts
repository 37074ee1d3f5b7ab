import { ranksOf } from '../../draw/rank.js'
import { type Propose, rankedProposal } from '../proposal.js'
import { ratesOf } from './rates.js'

/**
 * Ranks content by the mean reward of a view, as far back as the slot's memory goes; with `bySegment`, among persons of
 * the person's segments.
 */
export const proposeByPopularity: Propose<{ type: 'popular'; bySegment?: boolean }> = ({ bySegment }, input) => {
  const { person, model, exploration } = input
  const scores = ratesOf(model?.contents, input, bySegment ? (person.segments ?? []) : [])
  return rankedProposal(scores, ranksOf(scores), exploration)
}

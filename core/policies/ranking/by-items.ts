import { ranksOf } from '../../draw/rank.js'
import { scoreItem } from '../../learning/items/item-model.js'
import { type ItemPolicy, type Proposal, type ProposalInput, rankedProposal } from '../proposal.js'

/**
 * Ranks content by a model of items and the items of the person, whose ids are those of content. Newcomers, and persons
 * whose items the model does not have, get the most popular content.
 */
export function proposeByItems(
  { type }: { type: ItemPolicy },
  { eligible, person, items, itemsOf, exploration }: ProposalInput,
): Proposal {
  const model = itemsOf ? itemsOf(type) : items
  const numbers = new Set(
    (person.items ?? []).flatMap(id => {
      const number = model?.ids.get(id)
      return number === undefined ? [] : [number]
    }),
  )
  const history = [...numbers]
  const scores = eligible.map(({ id }) => {
    const target = model?.ids.get(id)
    if (!model || target === undefined) return 0
    return history.length > 0 ? scoreItem(model, history, target) : model.popularity[target]!
  })
  return rankedProposal(scores, ranksOf(scores), exploration)
}

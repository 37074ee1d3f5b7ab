import { facetTableOf } from '../../learning/features/facet-table.js'
import { interestShares } from '../../learning/features/interest.js'
import { amongAll, type Propose } from '../proposal.js'
import { proposeByPrediction } from './contextual.js'

/** What a view of a person's only category is expected to earn beyond others, before anything has been learned. */
const INTEREST = 0.5

/** Outcomes after which interests count half of that: by then the model has learned what they are worth. */
const LEARNED = 100

/**
 * Proposes where a slot names no policy. It is `contextual`, and until that has learned, content of the categories that
 * the person is interested in is expected to be better. A newcomer to a new slot gets any content, each as likely as
 * the others.
 */
export const proposeByDefault: Propose<{ type: 'default' }> = (_policy, input) => {
  const { person, model } = input
  const among = amongAll(input)
  const shareOf = interestShares(person.affinities)
  const strength = (INTEREST * LEARNED) / (LEARNED + (model?.linear?.outcomes ?? 0))
  // Once for each category.
  const { names, nameOf } = facetTableOf(among.all)
  const bonuses = names.map(name => strength * shareOf(name))
  return proposeByPrediction({ among, ...input }, 'quadrature', index => bonuses[nameOf[among.places[index]!]!]!)
}

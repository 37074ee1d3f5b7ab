import { facetTableOf } from '../../learning/features/facet-table.js'
import { interestShares } from '../../learning/features/interest.js'
import { amongAll, type Propose } from '../proposal.js'
import { proposeByPrediction } from './contextual.js'

/** Reward that is added to predictions of a person's only category, before anything has been learned. */
const INTEREST = 0.5

/** Outcomes after which the addition is halved: by then the model has learned what interests are worth. */
const LEARNED = 100

/**
 * Proposes where a slot names no policy. It is `contextual`, with a bonus for categories that the person is interested
 * in until the model has learned. A newcomer to a new slot gets any content, each with the same chance.
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

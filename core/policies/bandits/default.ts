import { interestShares } from '../../learning/features/interest.js'
import type { Propose } from '../proposal.js'
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
  const { eligible, person, model } = input
  const shareOf = interestShares(person.affinities)
  const strength = (INTEREST * LEARNED) / (LEARNED + (model?.linear?.outcomes ?? 0))
  return proposeByPrediction(input, 'quadrature', index => strength * shareOf(eligible[index]!.category))
}

import { typicalReward } from '../../learning/model/content-model.js'
import type { Propose } from '../proposal.js'
import { posteriorLottery } from './by-posterior.js'

/** Views that the prior counts as, where the slot declares none. */
const PRIOR_VIEWS = 2

/**
 * Draws each content by its probability to be the best (Thompson 1933): the posterior of its success is
 * Beta(prior + successes, prior + failures), and independent of the others'. Worth that is not one per success is counted in
 * units of a typical reward. What is new begins at the slot's mean.
 *
 * Betas are compared on the scale of arcsin √p, on which they are nearly normal, also near 0 and 1 (Anscombe 1948).
 */
export const proposeByThompson: Propose<{ type: 'thompson'; prior?: { successes: number; failures: number } }> = (
  { prior },
  { eligible, model, count, exploration, seed },
) => {
  const total = model?.contents.total ?? { views: 0, rewards: 0, squares: 0 }
  const unit = typicalReward(total)
  const mean = Math.min(1, Math.max(0, (total.rewards / unit + 0.5) / (total.views + 1)))
  const { successes, failures } = prior ?? { successes: PRIOR_VIEWS * mean, failures: PRIOR_VIEWS * (1 - mean) }
  const scores: number[] = []
  const angles: number[] = []
  const deviations: number[] = []
  for (const { id } of eligible) {
    const { views, rewards } = model?.contents.byId.get(id) ?? { views: 0, rewards: 0 }
    const won = Math.max(0, rewards / unit)
    const size = successes + failures + Math.max(views, won)
    const rate = (successes + won) / size
    scores.push(rate * unit)
    angles.push(Math.asin(Math.sqrt(Math.min(1, rate))))
    deviations.push(1 / (2 * Math.sqrt(size)))
  }
  const lottery = posteriorLottery(angles, deviations, { count, exploration, seed })
  return { candidates: [...eligible.keys()], scores, lottery }
}

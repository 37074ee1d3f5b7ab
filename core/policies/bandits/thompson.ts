import { columnsOf } from '../../learning/model/content-columns.js'
import { typicalReward } from '../../learning/model/content-model.js'
import { contentPrior } from '../../learning/model/content-prior.js'
import { amongAll, type Propose, placesTo } from '../proposal.js'
import { posteriorLottery } from './by-posterior.js'

/**
 * Factor by which the posterior's deviation is narrowed: with half of its variance, exploration costs less and the best
 * is still found (Chapelle and Li 2011; bench/regret).
 */
const NARROWED = Math.SQRT1_2

/**
 * Draws each content by its probability to be the best (Thompson 1933): the posterior of its success is Beta(prior +
 * successes, prior + failures), and independent of the others'. Amounts are counted in units of a typical reward. New
 * content begins at the slot's mean.
 *
 * Betas are compared on the scale of arcsin √p, on which they are nearly normal, also near 0 and 1 (Anscombe 1948).
 */
export const proposeByThompson: Propose<{ type: 'thompson'; prior?: { successes: number; failures: number } }> = (
  { prior },
  input,
) => {
  const { eligible, model, count, exploration, seed } = input
  const { all, places } = amongAll(input)
  const columns = model && columnsOf(model.contents, all)
  const unit = model ? typicalReward(model.contents.total) : 1
  const { successes, failures } = prior ?? contentPrior(model?.contents)
  const scores: number[] = []
  const angles: number[] = []
  const deviations: number[] = []
  for (const place of places) {
    const views = columns?.views[place] ?? 0
    const rewards = columns?.rewards[place] ?? 0
    const won = Math.max(0, rewards / unit)
    const size = successes + failures + Math.max(views, won)
    const rate = (successes + won) / size
    scores.push(rate * unit)
    angles.push(Math.asin(Math.sqrt(Math.min(1, rate))))
    deviations.push(NARROWED / (2 * Math.sqrt(size)))
  }
  const lottery = posteriorLottery(angles, deviations, { count, exploration, seed })
  return { candidates: placesTo(eligible.length), scores, lottery }
}

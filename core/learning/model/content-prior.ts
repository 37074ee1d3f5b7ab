import { type ContentsModel, typicalReward } from './content-model.js'

/** Prior of the success rate of a content before its first view: a Beta distribution, in units of a typical reward. */
export interface ContentPrior {
  successes: number
  failures: number
}

/**
 * Limits of the weight of the prior, in views. There is an upper one because even if all contents were alike, the next
 * may be better.
 */
const LEAST_VIEWS = 2
const MOST_VIEWS = 20

/**
 * Estimates the prior from a slot's contents (empirical Bayes, method of moments): their mean, with a weight that grows
 * with how alike they are.
 *
 * @param contents undefined: nothing was learned; a weak prior around 1/2
 */
export function contentPrior(contents: ContentsModel | undefined): ContentPrior {
  const total = contents?.total ?? { views: 0, rewards: 0, squares: 0 }
  const unit = typicalReward(total)
  const mean = Math.min(1, Math.max(0, (total.rewards / unit + 0.5) / (total.views + 1)))
  const views = contents ? alikeViews(contents, mean, unit) : LEAST_VIEWS
  return { successes: views * mean, failures: views * (1 - mean) }
}

/** Returns the weight in views: that of the Beta distribution with the variance between contents, without noise. */
function alikeViews({ byId, total }: ContentsModel, mean: number, unit: number): number {
  const noise = mean * (1 - mean)
  if (byId.size < 3) return LEAST_VIEWS
  let weighted = 0
  let squares = 0
  for (const { views, rewards } of byId.values()) {
    weighted += rewards ** 2 / unit ** 2 / Math.max(views, 1)
    squares += views * views
  }
  // One-way analysis of variance: the sum of squares between contents, and its expectation.
  const between = weighted - total.views * mean * mean
  const spread = total.views - squares / Math.max(total.views, 1)
  const variance = spread > 0 ? (between - (byId.size - 1) * noise) / spread : noise
  const views = variance > 0 ? noise / variance - 1 : MOST_VIEWS
  return Math.min(MOST_VIEWS, Math.max(LEAST_VIEWS, views))
}

import { type ContentsModel, typicalReward } from './content-model.js'

/** What is believed of a content before its first view: a Beta distribution, in units of a typical reward. */
export interface ContentPrior {
  successes: number
  failures: number
}

/**
 * Views that the prior counts as, at least, and at most: contents that have all been alike may still be followed by a
 * better one.
 */
const LEAST_VIEWS = 2
const MOST_VIEWS = 20

/**
 * Returns the prior that a slot's contents suggest (empirical Bayes): their mean, and as many views as they are alike.
 * Where they differ much, a new one is soon believed to differ, too.
 */
export function contentPrior(contents: ContentsModel | undefined): ContentPrior {
  const total = contents?.total ?? { views: 0, rewards: 0, squares: 0 }
  const unit = typicalReward(total)
  const mean = Math.min(1, Math.max(0, (total.rewards / unit + 0.5) / (total.views + 1)))
  const views = contents ? alikeViews(contents, mean, unit) : LEAST_VIEWS
  return { successes: views * mean, failures: views * (1 - mean) }
}

/** The size of the Beta distribution whose variance is that between contents: what chance explains is left out. */
function alikeViews({ byId, total }: ContentsModel, mean: number, unit: number): number {
  const noise = mean * (1 - mean)
  if (byId.size < 3) return LEAST_VIEWS
  let weighted = 0
  let squares = 0
  for (const { views, rewards } of byId.values()) {
    weighted += rewards ** 2 / unit ** 2 / Math.max(views, 1)
    squares += views * views
  }
  // Of the analysis of variance: the sum of squares between contents, and what it is expected to be.
  const between = weighted - total.views * mean * mean
  const spread = total.views - squares / Math.max(total.views, 1)
  const variance = spread > 0 ? (between - (byId.size - 1) * noise) / spread : noise
  const views = variance > 0 ? noise / variance - 1 : MOST_VIEWS
  return Math.min(MOST_VIEWS, Math.max(LEAST_VIEWS, views))
}

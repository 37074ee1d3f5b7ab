import type { ContentsModel } from './content-model.js'

/** Weight of the slot's mean in the rate of a content, in views: new content is assumed to be like the others. */
const PRIOR_VIEWS = 2

/** Expected rewards of contents. */
export interface ContentRates {
  /** Returns the reward that a view of a content is expected to earn; the slot's mean for a new one. */
  rateOf(id: string): number
  mean: number
}

/** Returns each content's mean reward, shrunk towards the mean of all. */
export function contentRates({ byId, total }: ContentsModel): ContentRates {
  const mean = total.views > 0 ? total.rewards / total.views : 0
  return {
    mean,
    rateOf(id) {
      const { views, rewards } = byId.get(id) ?? { views: 0, rewards: 0 }
      return (rewards + PRIOR_VIEWS * mean) / (views + PRIOR_VIEWS)
    },
  }
}

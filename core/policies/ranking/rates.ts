import type { ContentModel, ContentsModel } from '../../learning/model/content-model.js'
import { bucketOfSegment } from '../../learning/sums/content-sums.js'

/** Weight of the prior, in views: the rate of the larger group, towards which that of the smaller one is drawn. */
const PRIOR_VIEWS = 20

/**
 * Returns the expected reward of a view of each content: its mean, shrunk towards the mean of all content; with
 * segments, the mean among persons of each segment, shrunk towards the content's own.
 *
 * @param contents undefined: nothing was learned, all rates are 0
 * @param segments of the person. None: all persons count
 */
export function ratesOf(contents: ContentsModel | undefined, ids: string[], segments: readonly string[]): number[] {
  if (!contents) return ids.map(() => 0)
  const { byId, bySegment, total } = contents
  const mean = total.views > 0 ? total.rewards / total.views : 0
  const buckets = [...new Set(segments.map(bucketOfSegment))]
  return ids.map(id => {
    const rate = shrunk(byId.get(id), mean)
    const among = buckets.map(bucket => shrunk(bySegment.get(bucket)?.get(id), rate))
    return among.length > 0 ? among.reduce((sum, value) => sum + value, 0) / among.length : rate
  })
}

function shrunk(content: ContentModel | undefined, towards: number): number {
  const { views, rewards } = content ?? { views: 0, rewards: 0 }
  return (rewards + PRIOR_VIEWS * towards) / (views + PRIOR_VIEWS)
}

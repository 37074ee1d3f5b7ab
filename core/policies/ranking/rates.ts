import type { ContentModel, ContentsModel } from '../../learning/model/content-model.js'
import { bucketOfSegment } from '../../learning/sums/content-sums.js'

/** Views at the rate of the larger group that a content is assumed to have had in the smaller one. */
const PRIOR_VIEWS = 20

/**
 * Returns what a view of each content is expected to earn: its own mean, drawn towards that of all content; and, in
 * segments, the mean among persons of the segments, drawn towards its own.
 *
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

import { columnsOf } from '../../learning/model/content-columns.js'
import type { ContentModel, ContentsModel } from '../../learning/model/content-model.js'
import { bucketOfSegment } from '../../learning/sums/content-sums.js'
import { amongAll, type ProposalInput } from '../proposal.js'

/** Weight of the prior, in views: the rate of the larger group, towards which that of the smaller one is drawn. */
const PRIOR_VIEWS = 20

/**
 * Returns the expected reward of a view of each content: its mean, shrunk towards the mean of all content; with
 * segments, the mean among persons of each segment, shrunk towards the content's own.
 *
 * @param contents undefined: nothing was learned, all rates are 0
 * @param segments of the person. None: all persons count
 */
export function ratesOf(
  contents: ContentsModel | undefined,
  input: ProposalInput,
  segments: readonly string[],
): number[] {
  const { all, places } = amongAll(input)
  const rates = new Array<number>(places.length).fill(0)
  if (!contents) return rates
  const { bySegment, total } = contents
  const mean = total.views > 0 ? total.rewards / total.views : 0
  const buckets = [...new Set(segments.map(bucketOfSegment))]
  const { views, rewards } = columnsOf(contents, all)
  for (let at = 0; at < rates.length; at++) {
    const place = places[at]!
    const rate = shrunk(views[place]!, rewards[place]!, mean)
    rates[at] = buckets.length > 0 ? meanOf(buckets, all[place]!.id, rate) : rate
  }
  return rates

  function meanOf(buckets: readonly number[], id: string, rate: number): number {
    const among = buckets.map(bucket => {
      const { views, rewards } = bySegment.get(bucket)?.get(id) ?? NOTHING
      return shrunk(views, rewards, rate)
    })
    return among.reduce((sum, value) => sum + value, 0) / among.length
  }
}

const NOTHING: Pick<ContentModel, 'views' | 'rewards'> = { views: 0, rewards: 0 }

function shrunk(views: number, rewards: number, towards: number): number {
  return (rewards + PRIOR_VIEWS * towards) / (views + PRIOR_VIEWS)
}

import { addOutcome, emptyEpochs } from '../../learning/epochs/epochs.js'
import { type CrossedFacts, crossFacts, DIMENSION, featuresOf } from '../../learning/features/cross.js'
import { readModel, type SlotModel } from '../../learning/model/slot-model.js'
import { toFixedReward } from '../../learning/sums/fixed-point.js'
import type { DecisionLog, LoggedSituation, RowRange } from '../decision-log.js'
import type { ContentFactsById } from './content-facts.js'

/** Half-life of trends, in milliseconds: a day. */
const TREND_HALF_LIFE_MS = 24 * 3_600_000

/** Least horizon, in milliseconds: no epoch of the log is dropped. */
const LEAST_HORIZON_MS = 3_600_000

/**
 * Learns from rows, as a slot does, as of the last of them.
 *
 * @param contents by which features are crossed with what is known of the person. Undefined: only the sums per content
 * are learned
 * @throws RangeError for a reward that a slot does not take
 */
export function fitContents(
  { time, ids, action, situation, situations, reward }: DecisionLog,
  { from, to }: RowRange,
  contents?: ContentFactsById,
): SlotModel {
  const times = (time ?? new Float64Array(to)).subarray(from, to)
  const now = times.reduce((latest, at) => Math.max(latest, at), 0)
  const earliest = times.reduce((least, at) => Math.min(least, at), now)
  const epochs = emptyEpochs(now, Math.max(LEAST_HORIZON_MS, 2 * (now - earliest)))
  const crossed = rememberCrossed()
  for (let row = from; row < to; row++) {
    const contentId = ids[action[row]!]!
    const where = situations[situation[row]!]!
    const position = where.position + 1
    const content = contents?.get(contentId)
    addOutcome(epochs, {
      contentId,
      at: times[row - from]!,
      position,
      reward: toFixedReward(reward[row]!),
      segments: where.known?.segments ?? [],
      ...(content && { features: featuresOf(crossed(where), content, position) }),
    })
  }
  return readModel(epochs, { dimension: contents ? DIMENSION : 0, trendHalfLifeMs: TREND_HALF_LIFE_MS })
}

/** Crosses what is known in the latest situation once: rows of a decision follow each other. */
function rememberCrossed(): (situation: LoggedSituation) => CrossedFacts {
  let last: LoggedSituation | undefined
  let facts: CrossedFacts | undefined
  return situation => {
    if (facts && situation === last) return facts
    const { known: recorded, affinities } = situation
    last = situation
    facts = crossFacts({ tokens: recorded?.tokens ?? [], ...(affinities && { affinities }) })
    return facts
  }
}

import { addOutcome, emptyEpochs } from '../../learning/epochs/epochs.js'
import { readModel, type SlotModel } from '../../learning/model/slot-model.js'
import { toFixedReward } from '../../learning/sums/fixed-point.js'
import type { DecisionLog, RowRange } from '../decision-log.js'

/** Half-life of trends, in milliseconds: a day. */
const TREND_HALF_LIFE_MS = 24 * 3_600_000

/** Least horizon, in milliseconds: no epoch of the log is dropped. */
const LEAST_HORIZON_MS = 3_600_000

/**
 * Learns the sums per content from rows, as a slot does, as of the last of them.
 *
 * @throws RangeError for a reward that a slot does not take
 */
export function fitContents(
  { time, ids, action, situation, situations, reward }: DecisionLog,
  { from, to }: RowRange,
): SlotModel {
  const times = (time ?? new Float64Array(to)).subarray(from, to)
  const now = times.reduce((latest, at) => Math.max(latest, at), 0)
  const earliest = times.reduce((least, at) => Math.min(least, at), now)
  const epochs = emptyEpochs(now, Math.max(LEAST_HORIZON_MS, 2 * (now - earliest)))
  for (let row = from; row < to; row++)
    addOutcome(epochs, {
      contentId: ids[action[row]!]!,
      at: times[row - from]!,
      position: situations[situation[row]!]!.position + 1,
      reward: toFixedReward(reward[row]!),
      segments: [],
    })
  return readModel(epochs, { dimension: 0, trendHalfLifeMs: TREND_HALF_LIFE_MS })
}

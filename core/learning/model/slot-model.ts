import { type Epoch, type Epochs, latestFirst } from '../epochs/epochs.js'
import { endOf } from '../epochs/time-grid.js'
import { type ContentsModel, readContents } from './content-model.js'
import { type LinearModel, readLinear } from './linear-model.js'
import { chooseMemory, type Memory, withinMemory } from './memory.js'
import { typicalOutcome } from './typical-outcome.js'
import { weighEpochs } from './weighted-sums.js'

/** A model of a slot, by which its policies choose until the next one. */
export interface SlotModel {
  /** Time up to which it has learned, in milliseconds since the epoch. */
  asOf: number
  contents: ContentsModel
  /** Absent: the slot has no linear sums yet, or does not use them */
  linear?: LinearModel
  /** Number of latest outcomes that each part was fitted to. */
  memory: { contents: Memory; linear: Memory }
  /** Views and rewards, decayed with the half-life of trends, for the policy `trending`. */
  trend: ContentsModel
  /** Typical reward of an outcome that earned something. Absent: too few have */
  typical?: number
}

/** Options of fitting a model. */
export interface ModelOptions {
  /** Dimension of the linear sums. 0: leaves the linear model out. */
  dimension: number
  /** Half-life of the views and rewards of contents, in milliseconds. Default: the memory that predicts best */
  halfLifeMs?: number
  /** Half-life of trends, in milliseconds. */
  trendHalfLifeMs: number
  /** Memories to use. Default: chosen, which takes longer than the rest and need not be done each time */
  memory?: SlotModel['memory']
}

/**
 * Fits the model of a slot. It depends on the sums and on their time alone.
 *
 * @throws RangeError where the linear sums are none of outcomes: after records were lost, removing them leaves less
 * than nothing
 */
export function readModel(epochs: Epochs, options: ModelOptions): SlotModel {
  const { dimension, halfLifeMs, trendHalfLifeMs } = options
  const latest = latestFirst(epochs)
  const decayed = (halfLife: number) => {
    const weightOf = (epoch: Epoch) => 2 ** (-Math.max(0, epochs.now - endOf(epoch)) / halfLife)
    return readContents(weighEpochs(latest, 0, weightOf))
  }
  const memory = options.memory ?? {
    contents: halfLifeMs === undefined ? chooseMemory(epochs, 0) : Number.POSITIVE_INFINITY,
    linear: dimension > 0 ? chooseMemory(epochs, dimension) : Number.POSITIVE_INFINITY,
  }
  const contents =
    halfLifeMs === undefined ? readContents(weighEpochs(withinMemory(latest, memory.contents), 0)) : decayed(halfLifeMs)
  const model: SlotModel = { asOf: epochs.now, contents, memory, trend: decayed(trendHalfLifeMs) }
  const linear = dimension > 0 ? readLinear(weighEpochs(withinMemory(latest, memory.linear), dimension)) : undefined
  if (linear) model.linear = linear
  const typical = typicalOutcome(latest)
  if (typical !== undefined) model.typical = typical
  return model
}

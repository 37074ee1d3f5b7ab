import { type Epoch, type Epochs, latestFirst } from '../epochs/epochs.js'
import { endOf } from '../epochs/time-grid.js'
import { type ContentsModel, readContents } from './content-model.js'
import { type LinearModel, readLinear } from './linear-model.js'
import { chooseMemory, type Memory, withinMemory } from './memory.js'
import { typicalOutcome } from './typical-outcome.js'
import { weighEpochs } from './weighted-sums.js'

/** A snapshot of what a slot has learned: what its policies choose by until the next one. */
export interface SlotModel {
  /** Time up to which it has learned, in milliseconds since the epoch. */
  asOf: number
  contents: ContentsModel
  /** Undefined: the slot has no linear sums yet, or does not use them. */
  linear?: LinearModel
  /** How far back each part looks, in outcomes. */
  memory: { contents: Memory; linear: Memory }
  /** Outcomes per second of recent views, decayed: see `trending`. */
  trend: ContentsModel
  /** What an outcome that earned something has typically earned. Absent: too few have */
  typical?: number
}

/** What a snapshot is made with. */
export interface ModelOptions {
  /** Dimension of the linear sums. 0: leaves the linear model out. */
  dimension: number
  /** Half-life of what contents earned, in milliseconds. Default: the memory that predicts best. */
  halfLifeMs?: number
  /** Half-life of trends, in milliseconds. */
  trendHalfLifeMs: number
  /** Memories of an earlier snapshot: choosing takes longer than all else, and need not be done each time. */
  memory?: SlotModel['memory']
}

/**
 * Makes a snapshot of the sums of a slot: a function of them and of their time alone.
 *
 * @throws RangeError where the linear sums are none of outcomes: after a loss, taking records away leaves less than
 * nothing
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

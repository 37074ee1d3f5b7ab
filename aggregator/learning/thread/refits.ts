import { chooseMemory, DIMENSION, type LearnedSlot, readModel, type SlotModel } from '@slotstream/core'

/** Time between two models of a slot that learns, in milliseconds. */
const EVERY_MS = 1_000

/** Time between two models of a slot without new outcomes, whose trends decay, in milliseconds. */
const IDLE_MS = 5 * 60_000

/** Time between two choices of a memory, in milliseconds. */
const MEMORY_MS = 5_000

/** Shares of time that fitting the linear model of a slot, and choosing its memory, may take, at most. */
const LINEAR_SHARE = 1 / 15
const LINEAR_MEMORY_SHARE = 1 / 50

/** Half-life of trends, in milliseconds. */
const TREND_HALF_LIFE_MS = 3_600_000

/** A part of a model that is refitted from time to time. Times in milliseconds. */
interface Part {
  madeAt: number
  /** How long the last fit took. */
  tookMs: number
  /** Whether there are outcomes that it does not include. */
  isStale: boolean
}

interface Refit {
  slot: LearnedSlot
  contents: Part
  linear: Part
  memories: { contents: Part; linear: Part }
  memory: SlotModel['memory']
}

/** A fitted model. */
export interface MadeModel {
  slot: LearnedSlot
  model: SlotModel
  /** Whether the linear part of the previous model stays in use. */
  keepsLinear: boolean
}

/** Decides which slot gets a new model next. */
export interface Refits {
  /** Notes that a slot has new outcomes. */
  note(slot: LearnedSlot): void
  /** Drops a slot. */
  forget(slot: LearnedSlot): void
  /**
   * Fits the model of the slot that has waited longest; undefined: none is due.
   *
   * @param bring is called with the slot before, to advance it
   */
  next(now: number, bring: (slot: LearnedSlot) => void): MadeModel | undefined
}

/**
 * Creates the schedule of models: each slot at most once a second if it has changed, else every five minutes. Linear
 * models, which take longer, get at most a share of the time.
 */
export function createRefits(): Refits {
  const refits = new Map<LearnedSlot, Refit>()

  function longestWaiting(now: number): Refit | undefined {
    let first: Refit | undefined
    for (const refit of refits.values())
      if (isDue(refit, now) && (!first || refit.contents.madeAt < first.contents.madeAt)) first = refit
    return first
  }

  return {
    note(slot) {
      const refit = refits.get(slot) ?? newRefit(slot)
      refit.contents.isStale = true
      refit.linear.isStale = hasFeatures(slot)
      refits.set(slot, refit)
    },
    forget: slot => void refits.delete(slot),
    next(now, bring) {
      const refit = longestWaiting(now)
      if (!refit) return undefined
      bring(refit.slot)
      return { slot: refit.slot, ...makeModel(refit, now) }
    },
  }
}

function newRefit(slot: LearnedSlot): Refit {
  const part = (): Part => ({ madeAt: Number.NEGATIVE_INFINITY, tookMs: 0, isStale: false })
  return {
    slot,
    contents: part(),
    linear: part(),
    memories: { contents: part(), linear: part() },
    memory: { contents: Number.POSITIVE_INFINITY, linear: Number.POSITIVE_INFINITY },
  }
}

function hasFeatures({ epochs }: LearnedSlot): boolean {
  for (const { sums } of epochs.cells.values()) if (sums.linear.matrix.size > 0) return true
  return false
}

function isDue({ contents, linear }: Refit, now: number): boolean {
  return now >= contents.madeAt + (contents.isStale ? EVERY_MS : IDLE_MS) || isLinearDue(linear, now)
}

function isLinearDue({ isStale, madeAt, tookMs }: Part, now: number): boolean {
  return isStale && now >= madeAt + Math.max(EVERY_MS, tookMs / LINEAR_SHARE)
}

function makeModel(refit: Refit, now: number): Omit<MadeModel, 'slot'> {
  const { slot, contents, linear, memories, memory } = refit
  const { epochs } = slot
  contents.madeAt = now
  contents.isStale = false
  if (now >= memories.contents.madeAt + MEMORY_MS) {
    memories.contents.madeAt = now
    memory.contents = chooseMemory(epochs, 0)
  }
  const options = { trendHalfLifeMs: TREND_HALF_LIFE_MS, memory: { ...memory } }
  if (!isLinearDue(linear, now)) return { model: readModel(epochs, { ...options, dimension: 0 }), keepsLinear: true }
  linear.madeAt = now
  linear.isStale = false
  try {
    if (now >= memories.linear.madeAt + Math.max(MEMORY_MS, memories.linear.tookMs / LINEAR_MEMORY_SHARE)) {
      memories.linear.madeAt = now
      memory.linear = timed(memories.linear, () => chooseMemory(epochs, DIMENSION))
      options.memory.linear = memory.linear
    }
    const model = timed(linear, () => readModel(epochs, { ...options, dimension: DIMENSION }))
    return { model, keepsLinear: false }
  } catch (error) {
    // After records were lost, the linear sums may have no inverse: the sums per content are still used.
    if (!(error instanceof RangeError)) throw error
    return { model: readModel(epochs, { ...options, dimension: 0 }), keepsLinear: false }
  }
}

function timed<T>(part: Part, make: () => T): T {
  const started = performance.now()
  const result = make()
  part.tookMs = performance.now() - started
  return result
}

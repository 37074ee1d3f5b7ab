import { chooseMemory, DIMENSION, type LearnedSlot, readModel, type SlotModel } from '@slotstream/core'

/** Time between two models of a slot that learns, in milliseconds. */
const EVERY_MS = 1_000

/** Time between two models of a slot of which nothing new is known: trends fade. */
const IDLE_MS = 5 * 60_000

/** Time between two choices of a memory. */
const MEMORY_MS = 5_000

/** Share of the time that the linear model of one slot may take, at most, and the choice of its memory. */
const LINEAR_SHARE = 1 / 15
const LINEAR_MEMORY_SHARE = 1 / 50

/** Half-life of trends, in milliseconds. */
const TREND_HALF_LIFE_MS = 3_600_000

/** A part of a model that is made anew from time to time. Times in milliseconds. */
interface Part {
  madeAt: number
  /** How long it took. */
  tookMs: number
  /** Whether there is something that it does not know. */
  isStale: boolean
}

interface Refit {
  slot: LearnedSlot
  contents: Part
  linear: Part
  memories: { contents: Part; linear: Part }
  memory: SlotModel['memory']
}

/** A model that was made. */
export interface MadeModel {
  slot: LearnedSlot
  model: SlotModel
  /** The linear model of the one before is still good. */
  keepsLinear: boolean
}

/** Decides which slot gets a new model next. */
export interface Refits {
  /** Something new is known of a slot. */
  note(slot: LearnedSlot): void
  /** The slot is gone. */
  forget(slot: LearnedSlot): void
  /**
   * Makes the model of the slot that has waited longest, if one is due.
   *
   * @param bring brings the slot to the present before
   */
  next(now: number, bring: (slot: LearnedSlot) => void): MadeModel | undefined
}

/**
 * Creates the order in which models are made: each slot at most once a second, and only where something has changed.
 * Linear models, which take longer, take at most a share of the time.
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
    // Sums of what never was, after a loss, may have no inverse: contents are still learned about.
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

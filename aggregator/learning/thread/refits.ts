import { DIMENSION, type LearnedSlot, readModel, type SlotModel } from '@slotstream/core'

/** Time between two models of a slot that learns, in milliseconds. */
const EVERY_MS = 1_000

/** Time between two models of a slot of which nothing new is known: trends fade. */
const IDLE_MS = 5 * 60_000

/** Time between two choices of a memory, which take longer than all else. */
const MEMORY_MS = 5_000

/** Half-life of trends, in milliseconds. */
const TREND_HALF_LIFE_MS = 3_600_000

interface Refit {
  slot: LearnedSlot
  /** When its model was made, and when its memory was chosen. */
  madeAt: number
  chosenAt: number
  memory: SlotModel['memory'] | undefined
  isLinear: boolean
  hasChanged: boolean
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
  next(now: number, bring: (slot: LearnedSlot) => void): { slot: LearnedSlot; model: SlotModel } | undefined
}

/** Creates the order in which models are made: each slot at most once a second, and only where something has changed. */
export function createRefits(): Refits {
  const refits = new Map<LearnedSlot, Refit>()

  function due(now: number): Refit | undefined {
    let first: Refit | undefined
    for (const refit of refits.values()) {
      const dueAt = refit.madeAt + (refit.hasChanged ? EVERY_MS : IDLE_MS)
      if (dueAt <= now && (!first || refit.madeAt < first.madeAt)) first = refit
    }
    return first
  }

  return {
    note(slot) {
      const known = refits.get(slot)
      if (known) known.hasChanged = true
      else refits.set(slot, { slot, madeAt: 0, chosenAt: 0, memory: undefined, isLinear: false, hasChanged: true })
    },
    forget: slot => void refits.delete(slot),
    next(now, bring) {
      const refit = due(now)
      if (!refit) return undefined
      const { slot } = refit
      bring(slot)
      refit.madeAt = now
      refit.hasChanged = false
      const isLinear = [...slot.epochs.cells.values()].some(({ sums }) => sums.linear.matrix.size > 0)
      if (now >= refit.chosenAt + MEMORY_MS || isLinear !== refit.isLinear) {
        refit.memory = undefined
        refit.chosenAt = now
        refit.isLinear = isLinear
      }
      const model = readModel(slot.epochs, {
        dimension: isLinear ? DIMENSION : 0,
        trendHalfLifeMs: TREND_HALF_LIFE_MS,
        ...(refit.memory && { memory: refit.memory }),
      })
      refit.memory = model.memory
      return { slot, model }
    },
  }
}

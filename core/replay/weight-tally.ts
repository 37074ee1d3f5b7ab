import { type Refusal, refuseEstimates, refuseSupport } from '../evaluate/refusal.js'

/** Weights of a candidate by decision: its chance of what was shown, divided by the logged one. */
export interface WeightTally {
  /** Adds a decision's weight, with its variance as it follows from the recorded chances. */
  add(weight: number, spread: number): void
  measures(): { ess: number; maxWeight: number }
  /** Returns why a value by these weights cannot be relied on. */
  refusal(): Refusal | undefined
}

/** Creates an empty one, of a candidate that shows nothing which could not be drawn. */
export function createWeightTally(): WeightTally {
  let rows = 0
  let sum = 0
  let squares = 0
  let maxWeight = 0
  let spreads = 0
  const measures = () => ({ ess: squares > 0 ? (sum * sum) / squares : 0, maxWeight })
  return {
    measures,
    add(weight, spread) {
      rows++
      spreads += spread
      sum += weight
      squares += weight * weight
      maxWeight = Math.max(maxWeight, weight)
    },
    refusal() {
      const meanWeight = rows > 0 ? sum / rows : 0
      const spread = rows > 1 ? Math.max(0, squares - rows * meanWeight * meanWeight) / (rows - 1) : 0
      const diagnostics = { rows, ...measures(), overlap: 1, meanWeight, weightError: Math.sqrt(spread / rows) }
      const expectedError = rows > 0 ? Math.sqrt(spreads) / rows : 0
      const all = { ...diagnostics, expectedError, shown: 1, impossible: 0, unlisted: 0, rounding: 0 }
      // Few rows may have no weight at all by chance: that is a small sample, not a fault.
      return refuseSupport(all) ?? refuseEstimates(all)
    },
  }
}

/** Returns the refusal of a candidate whose chances do not follow from the records. */
export function unknownChances(reason: string): Refusal {
  return {
    code: 'unknown_chances',
    reason,
    cure:
      'let an experiment with `tournament` name it, or an ensemble with a small share: then records have what it reads; ' +
      'leave conditions and caps as they are; or compare it in an experiment',
  }
}

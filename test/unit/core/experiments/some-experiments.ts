import { normalFrom } from '#core/algebra/normal.js'
import type { ArmSums } from '#core/experiments/lift.js'

/** The numbers of one day: the binomial by the normal one, which at thousands of persons no test tells apart. */
export function addDay(arm: ArmSums, units: number, rate: number, random: () => number): void {
  const mean = units * rate
  const drawn = Math.round(mean + Math.sqrt(mean * (1 - rate)) * normalFrom(random))
  const rewards = Math.max(0, Math.min(units, drawn))
  arm.units += units
  arm.sum += rewards
  arm.squares += rewards
}

export function emptySums(): ArmSums {
  return { units: 0, sum: 0, squares: 0 }
}

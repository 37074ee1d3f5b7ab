import { type ArmSums, addSums, differenceOf, meanOf } from '../lift.js'
import { CHECK_ALPHA } from './sample-ratio.js'

/**
 * What an arm's units lost on the way, by the ledger of deliveries: of each unit, the share of its messages that is
 * missing.
 */
export type LossSums = ArmSums

/** Whether arms lose alike. */
export interface LossCheck {
  ok: boolean
  /** Greatest difference of the shares that are lost, between the first arm and another one. */
  difference: number
}

/** Difference of the shares lost that does not matter. */
export const HARMLESS_LOSS = 0.005

/**
 * Checks that messages of all arms arrive equally often, at every look at once: of an arm whose messages get lost, a
 * part of the rewards is missing, and it seems worse than it is.
 *
 * @param arms the control first
 */
export function checkLoss(arms: readonly LossSums[], alpha = CHECK_ALPHA): LossCheck {
  const [control, ...others] = arms
  if (!control) return { ok: true, difference: 0 }
  let difference = 0
  let ok = true
  for (const arm of others) {
    const lift = differenceOf(arm, control, { alpha: alpha / others.length })
    if (!lift) continue
    if (Math.abs(lift.value) > Math.abs(difference)) difference = lift.value
    if (lift.isSignificant && Math.abs(lift.value) >= HARMLESS_LOSS) ok = false
  }
  return { ok, difference }
}

/** What units of one stratum earned, and the share of rewards that arrives from it. */
export interface Stratum extends ArmSums {
  /** Above 0, at most 1. */
  arrival: number
}

/** Share below which what arrives is not taken for a sample of the rest. */
const LEAST_ARRIVAL = 0.1

/**
 * Returns what an arm's units earned, with what got lost: each reward that arrived stands for 1 / arrival of its
 * stratum (Horvitz and Thompson 1952). It assumes that within a stratum rewards are lost by chance, and of a person's
 * messages any as likely.
 */
export function correctForLoss(strata: readonly Stratum[]): ArmSums {
  const all = { units: 0, sum: 0, squares: 0 }
  for (const { units, sum, squares, arrival } of strata) {
    const share = Math.min(1, Math.max(LEAST_ARRIVAL, arrival))
    all.units += units
    all.sum += sum / share
    all.squares += squares / (share * share)
  }
  return all
}

/**
 * Returns all that an arm's units earned, where those of some strata are weighted for what got lost. Units of no
 * stratum, which no ledger tells of, are taken as they are.
 *
 * @param all what arrived of all units
 */
export function withoutLoss(all: ArmSums, strata: readonly Stratum[]): ArmSums {
  const weighted = correctForLoss(strata)
  const arrived = strata.reduce(addSums, { units: 0, sum: 0, squares: 0 })
  return {
    units: all.units,
    sum: all.sum - arrived.sum + weighted.sum,
    squares: all.squares - arrived.squares + weighted.squares,
  }
}

/** Returns the share of messages that arrives from units, by what they lost. */
export function arrivalOf(loss: LossSums): number {
  return loss.units === 0 ? 1 : 1 - meanOf(loss).mean
}

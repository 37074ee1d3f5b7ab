import { type ArmSums, addSums, differenceOf, meanOf } from '../lift.js'
import { CHECK_ALPHA } from './sample-ratio.js'

/**
 * Sums over an arm's units of the share of each unit's messages that was lost on the way, by the ledger of deliveries.
 */
export type LossSums = ArmSums

/** Result of checking that all arms lose messages alike. */
export interface LossCheck {
  ok: boolean
  /** Difference of the mean share lost between another arm and the first one: the one that is farthest from 0. */
  difference: number
}

/** Difference of shares lost below which the check holds. */
export const HARMLESS_LOSS = 0.005

/**
 * Checks that messages of all arms arrive equally often, valid at every look at once. If an arm loses more messages, it
 * also loses rewards, and seems worse than it is.
 *
 * @param arms the control first
 * @param alpha share of clean experiments that fail at any time. Default `CHECK_ALPHA`
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

/** Rewards of the units of one stratum, and the share of rewards that arrives from it. */
export interface Stratum extends ArmSums {
  /** Above 0, at most 1. */
  arrival: number
}

/** Lower limit of arrival shares: what arrives of less is no good sample of the rest. */
const LEAST_ARRIVAL = 0.1

/**
 * Estimates what an arm's units earned, including what got lost: each reward that arrived stands for 1 / arrival of its
 * stratum (Horvitz and Thompson 1952). Assumes that within a stratum all messages are lost with the same chance.
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
 * Estimates what all of an arm's units earned: those of strata are weighted for what got lost. Units of no stratum, of
 * which the ledger knows nothing, are taken as they are.
 *
 * @param all sums of what arrived from all units
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

/** Returns the share of messages that arrives from units, 0 to 1; 1 without units. */
export function arrivalOf(loss: LossSums): number {
  return loss.units === 0 ? 1 : 1 - meanOf(loss).mean
}

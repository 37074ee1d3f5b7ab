import { logGamma } from '../../algebra/log-gamma.js'

/** Share of clean experiments that are flagged at any time. */
export const CHECK_ALPHA = 0.001

/**
 * Concentration of the prior around the recorded shares, in units. A large one is good at small mismatches of long
 * experiments, a small one at large mismatches of short experiments.
 */
const CONCENTRATION = 100

/** Whether a check holds, and the evidence against it. */
export interface CheckResult {
  ok: boolean
  /** E-value: the capital of a bettor who began with 1 and bets against the hypothesis. */
  e: number
}

/** A running check of how units were assigned to arms (sample ratio mismatch). */
export interface SampleRatio {
  /**
   * Adds units that were assigned with the same shares.
   *
   * @param shares recorded with them, one for each arm, with the sum 1
   * @param counts of units, one for each arm
   */
  note(shares: readonly number[], counts: readonly number[]): void
  /** Returns the result so far. */
  now(): CheckResult
}

/**
 * Begins a check of units against the shares by which they were assigned, valid at every look at once. Shares may
 * change with time: each block of units is compared with its own. It is the mixture e-process of multinomial counts
 * with a Dirichlet prior around the shares (Lindon and Malek, arXiv 2011.03567); after a change, the prior is the
 * posterior, tilted to the new shares.
 *
 * @param arms number of arms
 * @param alpha share of clean experiments that fail at any time. Default `CHECK_ALPHA`
 */
export function createSampleRatio(arms: number, alpha = CHECK_ALPHA): SampleRatio {
  const seen = new Float64Array(arms)
  const expected = new Float64Array(arms)
  let units = 0
  let logE = 0

  return {
    note(shares, counts) {
      const prior = Array.from({ length: arms }, (_, arm) => {
        const share = shares[arm]!
        return share > 0 ? (share * (seen[arm]! + CONCENTRATION * share)) / (expected[arm]! + CONCENTRATION * share) : 0
      })
      const whole = prior.reduce((sum, part) => sum + part, 0)
      const strength = CONCENTRATION + units
      let block = 0
      for (let arm = 0; arm < arms; arm++) {
        const count = counts[arm]!
        if (count === 0) continue
        const weight = (strength * prior[arm]!) / whole
        if (!(weight > 0)) logE = Number.POSITIVE_INFINITY
        else logE += logGamma(weight + count) - logGamma(weight) - count * Math.log(shares[arm]!)
        block += count
      }
      if (block > 0) logE -= logGamma(strength + block) - logGamma(strength)
      for (let arm = 0; arm < arms; arm++) {
        seen[arm] = seen[arm]! + counts[arm]!
        expected[arm] = expected[arm]! + block * shares[arm]!
      }
      units += block
    },
    now: () => ({ ok: logE < Math.log(1 / alpha), e: shownEvidence(logE) }),
  }
}

/** Returns evidence from its logarithm, capped so that it is finite, as JSON requires. */
export function shownEvidence(logE: number): number {
  return Math.exp(Math.min(logE, 700))
}

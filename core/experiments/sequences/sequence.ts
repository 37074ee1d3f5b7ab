/**
 * Asymptotic confidence sequences (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, arXiv 2103.06476): intervals that
 * hold at every look at once, so that one may look every day and stop when the answer is clear.
 */

/** Width of a sequence, and where it is narrowest. */
export interface SequenceOptions {
  /** Share of sequences that miss the truth at any time. Default 0.05 */
  alpha?: number | undefined
  /** Units at which it is narrowest, to be fixed before the first look. Default `DEFAULT_TUNED_TO` */
  tunedTo?: number | undefined
}

/** Share of sequences that miss the truth at any time, where none is given. */
export const DEFAULT_ALPHA = 0.05

/** Units at which a sequence is narrowest where an experiment does not say how many it expects. */
export const DEFAULT_TUNED_TO = 10_000

/** Returns the parameter ρ² with which a sequence is narrowest at `tunedTo` units. */
export function tuningOf({ alpha = DEFAULT_ALPHA, tunedTo = DEFAULT_TUNED_TO }: SequenceOptions = {}): number {
  const log = Math.log(alpha)
  return (-2 * log + Math.log(1 - 2 * log)) / tunedTo
}

/**
 * Returns B(N), the half-width of an interval in standard errors of its estimate. It is what 1.96 is for a single look,
 * for all looks at once.
 *
 * @param units of all arms that are compared, above 0
 */
export function sequenceBound(units: number, options: SequenceOptions = {}): number {
  const { alpha = DEFAULT_ALPHA } = options
  const rho = tuningOf(options)
  const t = units * rho + 1
  return Math.sqrt(units) * Math.sqrt(((2 * t) / (units * units * rho)) * Math.log(Math.sqrt(t) / alpha))
}

/**
 * Returns the logarithm of the evidence (e-value) against "no difference".
 *
 * @param z estimate in standard errors
 * @param units of all arms that are compared
 */
export function logEvidence(z: number, units: number, options: SequenceOptions = {}): number {
  const nrho = units * tuningOf(options)
  return (nrho * z * z) / (2 * (nrho + 1)) - 0.5 * Math.log(nrho + 1)
}

/** Returns a p-value that is valid at every look at once. @param z,units see `logEvidence` */
export function sequencePValue(z: number, units: number, options: SequenceOptions = {}): number {
  return Math.min(1, Math.exp(-logEvidence(z, units, options)))
}

/**
 * Upper limits of strata of losses, as shares of a browser's messages that are missing; the last stratum has what is
 * above all of them. Within a stratum, a reward is assumed to be lost with the same chance as any other message. Limits
 * lie between typical shares of few messages: none, a twentieth, a tenth, a fifth, a third, a half.
 */
export const LOSS_STRATA: readonly number[] = [0, 0.075, 0.15, 0.265, 0.415, 0.575, 0.7]

/**
 * For each stratum: the share of rewards that is assumed to arrive. A quarter for the last one, so that a page that
 * claims losses cannot multiply its rewards by more than four.
 */
const ARRIVALS: readonly number[] = [1, 0.95, 0.9, 0.8, 0.67, 0.5, 0.36, 0.25]

/**
 * Estimates the share of messages that is missing. One more message is counted as arrived (Chapman 1951), which makes
 * 1 / (1 − share) unbiased for few messages, except if all are lost; without it, one missing of one would mean that
 * nothing ever arrives.
 *
 * @param numbered messages that the browser numbered, `missing` included
 */
export function shareMissing(missing: number, numbered: number): number {
  return missing / (numbered + 1)
}

/** Returns the stratum of a share of missing messages; 0: none is missing. */
export function stratumOf(share: number): number {
  const stratum = LOSS_STRATA.findIndex(limit => share <= limit)
  return stratum < 0 ? LOSS_STRATA.length : stratum
}

/** Returns the weight of a reward that arrived from a stratum: it stands for itself and those that were lost. */
export function weightOfStratum(stratum: number): number {
  return 1 / ARRIVALS[stratum]!
}

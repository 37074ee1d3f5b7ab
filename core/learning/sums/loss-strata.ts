/**
 * Upper limits of strata, as shares of the messages that are missing; the last stratum has what is above all of them.
 * Within a stratum a reward was lost as likely as any other message. Limits are between the shares that few messages
 * have: none, a twentieth, a tenth, a fifth, a third, a half.
 */
export const LOSS_STRATA: readonly number[] = [0, 0.075, 0.15, 0.265, 0.415, 0.575, 0.7]

/**
 * Of each stratum: the share of rewards that is taken to arrive. Of the last one, which is open, a quarter: what a page
 * claims to have lost must not make its rewards more than fourfold.
 */
const ARRIVALS: readonly number[] = [1, 0.95, 0.9, 0.8, 0.67, 0.5, 0.36, 0.25]

/**
 * Returns the share of messages that is taken to be missing where some of `numbered` are, which lie between the first
 * and the last that arrived. That the message arrived which earned the reward is why it counts, so it must be left out
 * of those by whom losses are told: it is one of them, or the last one, each as likely. If it is the last one, 1 / the
 * share that arrives is right in the mean with one more that counts as arrived, however few they are (Chapman 1951); if
 * it is one of them, it is that one more. The mean of both is taken.
 */
export function shareMissing(missing: number, numbered: number): number {
  const arrived = numbered - missing + 1
  return 1 - arrived / (numbered + 1 + missing / arrived)
}

/** Returns the stratum of a share of messages that is missing; 0: none is. */
export function stratumOf(share: number): number {
  const stratum = LOSS_STRATA.findIndex(limit => share <= limit)
  return stratum < 0 ? LOSS_STRATA.length : stratum
}

/** Returns how many rewards one that arrived from a stratum stands for: it, and those that were lost. */
export function weightOfStratum(stratum: number): number {
  return 1 / ARRIVALS[stratum]!
}

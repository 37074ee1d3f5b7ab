import { EXCLUSION_LETTERS, type ExclusionReason } from '@slotstream/protocol'

/** Code of content that may be shown. */
export const ELIGIBLE = 0

const REASONS = Object.keys(EXCLUSION_LETTERS) as ExclusionReason[]

/**
 * For each content of a slot: `ELIGIBLE`, or the code of the reason why it may not be shown. Codes are faster to go
 * through than texts.
 */
export type Reasons = Uint8Array

/** Returns the code of a reason; undefined: the content may be shown. */
export function codeOf(reason: ExclusionReason | undefined): number {
  return reason === undefined ? ELIGIBLE : 1 + REASONS.indexOf(reason)
}

/** Returns the reason why the content at a place may not be shown; undefined: it may. */
export function reasonAt(reasons: Reasons, place: number): ExclusionReason | undefined {
  return REASONS[(reasons[place] ?? ELIGIBLE) - 1]
}

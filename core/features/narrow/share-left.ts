import type { FeatureStates, Narrowed } from '@slotstream/protocol'
import type { Feature } from '../feature.js'
import { MAX_VISITS } from '../state/visits.js'

/** Halvings after which a feature holds nothing: a hash has 32 bits. */
export const NOTHING_LEFT = 33

/** Halvings after which one session is left. Further ones narrow what its features hold. */
export const ONE_VISIT = Math.floor(Math.log2(MAX_VISITS))

/** Returns how often what features of the session hold was halved. */
export function halvingsOfSession(narrowed: Pick<Narrowed, 'visits'>): number {
  return Math.max(0, narrowed.visits - ONE_VISIT)
}

/**
 * Returns the share of a feature's keys, or of the values of its list, that were left so that a profile stays within
 * its bytes: 0.5, 0.25 …, or 0 where it holds nothing. Undefined: all of them.
 */
export function shareLeft({ narrowed }: FeatureStates, { version, window }: Feature): number | undefined {
  if (!narrowed) return undefined
  const halvings = window.kind === 'session' ? halvingsOfSession(narrowed) : (narrowed.of[version] ?? 0)
  if (halvings === 0) return undefined
  return halvings >= NOTHING_LEFT ? 0 : 2 ** -halvings
}

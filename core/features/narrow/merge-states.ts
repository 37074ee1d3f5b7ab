import type { FeatureStates } from '@slotstream/protocol'
import type { Features } from '../feature.js'
import { mergeWhole } from '../state/merge-whole.js'
import { eitherNarrowed, narrowStates } from './narrow-states.js'

/**
 * Merges what two visitors' features hold, such as two browsers of one person: as if all messages had been one
 * visitor's. Commutative and associative; neither is changed. Versions that the site no longer has are left out. What
 * was left out of one is left out of both, so that what is there is complete.
 */
export function mergeStates(a: FeatureStates, b: FeatureStates, features: Features): FeatureStates {
  const narrowed = eitherNarrowed(a.narrowed, b.narrowed)
  if (!narrowed) return mergeWhole(a, b, features)
  const [left, right] = [narrowStates(a, narrowed, features), narrowStates(b, narrowed, features)]
  return narrowStates(mergeWhole(left, right, features), narrowed, features)
}

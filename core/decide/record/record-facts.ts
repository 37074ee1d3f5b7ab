import type { RecordedFacts } from '@slotstream/protocol'
import type { CompiledSlot } from '../../catalog/compile-slot.js'
import type { Situation } from '../situation.js'

/** Segments and items that a record names, at most. */
const MOST = 40

/**
 * Returns what a slot's policy reads of a person and a request beside interests: as hashes where it reads values, so that a record
 * says no more than it must. Undefined: it reads nothing.
 */
export function recordedFacts(
  { slot, needs: { policy } }: CompiledSlot,
  situation: Situation,
): RecordedFacts | undefined {
  const { segments, items, personId } = situation.person
  const isEnsemble = slot.policy?.type === 'ensemble'
  if (!policy.features && !policy.segments && !policy.items && !isEnsemble) return undefined
  return {
    ...(policy.features && { tokens: situation.crossed().tokens }),
    ...(policy.segments && { segments: segments.slice(0, MOST) }),
    ...(policy.items && { items: (items ?? []).slice(-MOST) }),
    ...(isEnsemble && { personId }),
  }
}

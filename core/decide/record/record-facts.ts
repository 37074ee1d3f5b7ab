import type { RecordedFacts } from '@slotstream/protocol'
import type { CompiledSlot } from '../../catalog/compile-slot.js'
import type { PolicyNeeds } from '../../catalog/policy-needs.js'
import type { Situation } from '../situation.js'

/** Segments, and items, that a record names, at most. */
const MOST = 40

/**
 * Returns the facts about person and request, beside interests, that a slot's policy reads, for the record. Values are
 * hashed, so that a record reveals no more than it must. Undefined: the policy reads none.
 *
 * @param also needs of other policies that are to be valued by the record. Default: none
 */
export function recordedFacts(
  { slot, needs: { policy } }: CompiledSlot,
  situation: Situation,
  also?: PolicyNeeds,
): RecordedFacts | undefined {
  const { segments, items, personId } = situation.person
  const isEnsemble = slot.policy?.type === 'ensemble'
  const needs = {
    features: policy.features || also?.features === true,
    segments: policy.segments || also?.segments === true,
    items: policy.items || also?.items === true,
  }
  if (!needs.features && !needs.segments && !needs.items && !isEnsemble) return undefined
  return {
    ...(needs.features && { tokens: situation.crossed().tokens }),
    ...(needs.segments && { segments: segments.slice(0, MOST) }),
    ...(needs.items && { items: (items ?? []).slice(-MOST) }),
    ...(isEnsemble && { personId }),
  }
}

import type { CompiledSlot } from '../catalog/compile-slot.js'
import { PROBABILITY_SCALE } from '../draw/probability.js'
import { explainStages } from '../explain/stages.js'
import type { ContentChance } from './decide-otherwise.js'
import type { AskedRecord } from './situation-of-record.js'

/** Returns what a record lacks that the slot's policy reads. */
export function missingOf(
  { known: recorded, draw }: AskedRecord,
  { slot, needs: { policy } }: CompiledSlot,
): string | undefined {
  if (!draw) return 'its record has no draw'
  if (
    (policy.features && !recorded?.tokens) ||
    (policy.segments && !recorded?.segments) ||
    (policy.items && !recorded?.items)
  )
    return `its record does not say what ${slot.policy?.type ?? 'the default policy'} reads of the person`
  return undefined
}

/**
 * Returns what had a chance at the first position. Undefined: campaigns that came first hide what the policy would have
 * drawn.
 */
export function loggedOf({ draw }: AskedRecord, { contents }: CompiledSlot): ContentChance[] | undefined {
  if (draw?.stages.length !== 1) return undefined
  const [stage] = explainStages(draw)
  return stage!.candidates.map((place, index) => ({
    contentId: contents[place]!.id,
    chance: (stage!.probabilities[index] ?? 0) / PROBABILITY_SCALE,
  }))
}

import type { Content, ExperimentArm, Slot } from '@slotstream/protocol'
import { createClauses } from './clauses.js'
import { type CompiledSlot, compileSlot } from './compile-slot.js'
import { slotOfArm } from './slot-of-arm.js'

/** A site's catalog, of any revision. */
export interface SomeCatalog {
  slots: readonly Slot[]
  content: readonly Content[]
}

/** Compiles a slot of a catalog, with the policy and contents of an arm if one is given. Undefined: no such slot */
export function slotOfCatalog(
  { slots, content }: SomeCatalog,
  slotId: string,
  arm?: ExperimentArm,
): CompiledSlot | undefined {
  const slot = slots.find(({ id }) => id === slotId)
  if (!slot) return undefined
  const [chosen, contents] = slotOfArm(slot, new Map(content.map(each => [each.id, each])), arm)
  return compileSlot(chosen, contents, createClauses())
}

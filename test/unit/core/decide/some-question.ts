import type { Content, Slot } from '@slotstream/protocol'
import { createClauses } from '#core/catalog/clauses.js'
import { type CompiledSlot, compileSlot } from '#core/catalog/compile-slot.js'
import { type Decided, decide, type Question } from '#core/decide/decide.js'
import { type Situation, type SituationInput, situationOf } from '#core/decide/situation.js'

/** A question about one slot, with its catalog. */
export interface Asked extends Omit<SituationInput, 'slots' | 'clauses'>, Omit<Question, 'situation' | 'slot'> {
  slot: Slot
  contents: Content[]
}

/** Compiles the slot and what is asked about it. */
export function compileAsked({ slot, contents, ...asked }: Asked): { compiled: CompiledSlot; situation: Situation } {
  const clauses = createClauses()
  const compiled = compileSlot(slot, contents, clauses)
  return { compiled, situation: situationOf({ ...asked, slots: [compiled], clauses }) }
}

/** Decides about one slot, as the product does. */
export function decideOne(asked: Asked): Decided {
  const { compiled, situation } = compileAsked(asked)
  return decide({ ...asked, situation, slot: compiled })
}

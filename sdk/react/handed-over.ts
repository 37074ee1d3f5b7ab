import { createContext } from 'react'
import type { SlotDecision } from '../types.js'

/** Decisions that the server made while it rendered the page. */
export const HandedOver = createContext<readonly SlotDecision[]>([])

/**
 * Decisions of slots that were shown and are gone. A slot that comes back asks again, because the visitor has done
 * something since.
 */
const used = new WeakSet<SlotDecision>()

/** Returns the decision that came with the page for a slot; undefined where no server could decide. */
export function decisionFor(slotId: string, decisions: readonly SlotDecision[]): SlotDecision | undefined {
  return decisions.find(decision => decision.slotId === slotId && decision.decisionId && !used.has(decision))
}

/** Takes note that a slot doesn't show a decision any more. */
export const putAway = (decision: SlotDecision): void => void used.add(decision)

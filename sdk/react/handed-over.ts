import { createContext } from 'react'
import type { SlotDecision } from '../types.js'

/** Decisions that the server made while it rendered the page. */
export const HandedOver = createContext<readonly SlotDecision[]>([])

/**
 * Those whose slot was shown and is gone: it asks again when it comes back, because the visitor has done something
 * since.
 */
const used = new WeakSet<SlotDecision>()

/** The decision that came with the page for a slot. One that no server made, because it could not, isn't one. */
export function decisionFor(slotId: string, decisions: readonly SlotDecision[]): SlotDecision | undefined {
  return decisions.find(decision => decision.slotId === slotId && decision.decisionId && !used.has(decision))
}

/** Takes note that a slot doesn't show a decision any more. */
export const putAway = (decision: SlotDecision): void => void used.add(decision)

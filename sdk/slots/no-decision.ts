import type { SlotDecision, SlotOutcome } from '../types.js'

/** A decision without content: the page's own stays. */
export function noDecision(slotId: string, outcome: SlotOutcome): SlotDecision {
  return { slotId, decisionId: '', outcome, items: [] }
}

import type { Properties, SlotDecision, SlotItem, SlotOutcome } from '../types.js'

/** Returns a decision without content: the page's own stays. */
export function noDecision(slotId: string, outcome: SlotOutcome, fallback: Properties[] = []): SlotDecision {
  return { slotId, decisionId: '', outcome, items: itemsOf(fallback) }
}

/** Returns the items that a page shows when it gets none. */
export function itemsOf(payloads: Properties[]): SlotItem[] {
  return payloads.map((payload, index) => ({ contentId: '', position: index + 1, payload }))
}

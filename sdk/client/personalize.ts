import { askWith } from '../slots/ask-with.js'
import type { PayloadOf, SlotIdIn } from '../slots/payload-of.js'
import { personalizerOf } from '../slots/personalizer-of.js'
import type { PersonalizeOptions, Properties, SlotDecision } from '../types.js'

/**
 * Asks what to show in a slot. Everything tracked on this page before counts in the answer.
 *
 * Never rejects. Without an answer by the deadline it resolves with the outcome `timeout`, without a collector or
 * without consent with `unavailable`, and no items: show the page's own content then. The type of the payloads is what
 * `Slots` declares for the slot, or the type that the call names; it isn't checked while the page runs.
 */
export function personalize<Payload extends object = Properties, Id extends string = string>(
  slotId: Id & SlotIdIn<Id>,
  options?: PersonalizeOptions<PayloadOf<Id, Payload>>,
): Promise<SlotDecision<PayloadOf<Id, Payload>>> {
  return askWith(personalizerOf, slotId, options as PersonalizeOptions) as Promise<SlotDecision<PayloadOf<Id, Payload>>>
}

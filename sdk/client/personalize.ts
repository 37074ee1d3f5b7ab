import { askWith } from '../slots/ask-with.js'
import { personalizerOf } from '../slots/personalizer-of.js'
import type { PersonalizeOptions, Properties, SlotDecision } from '../types.js'

/**
 * Asks what to show in a slot. Everything tracked on this page before counts in the answer.
 *
 * Never rejects. Without an answer by the deadline it resolves with the outcome `timeout`, without a collector or
 * without consent with `unavailable`, and no items: show the page's own content then. The type of the payloads is what
 * the catalog is known to have; it isn't checked.
 */
export function personalize<Payload extends object = Properties>(
  slotId: string,
  options?: PersonalizeOptions<Payload>,
): Promise<SlotDecision<Payload>> {
  return askWith(personalizerOf, slotId, options as PersonalizeOptions) as Promise<SlotDecision<Payload>>
}

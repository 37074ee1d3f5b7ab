import { askWith } from '../slots/ask-with.js'
import { personalizerOf } from '../slots/personalizer-of.js'
import type { PersonalizeOptions, SlotDecision } from '../types.js'

/**
 * Asks what to show in a slot. Everything tracked on this page before counts in the answer.
 *
 * Never rejects. Without an answer by the deadline it resolves with the outcome `timeout`, without a collector or
 * without consent with `unavailable`, and no items: show the page's own content then.
 */
export function personalize(slotId: string, options?: PersonalizeOptions): Promise<SlotDecision> {
  return askWith(personalizerOf, slotId, options)
}

import { idOfTexts } from '@slotstream/core'
import { hashText } from '../../hash-text.js'

/**
 * Returns the id of the delivery of a signal to a webhook, the same with each attempt: the header `webhook-id`, by
 * which receivers know a second delivery.
 */
export function deliveryIdOf(webhookId: string, signalId: string): string {
  return `msg_${idOfTexts([webhookId, signalId], hashText)}`
}

import { hash } from 'node:crypto'
import { joined, type Sender } from '@slotstream/protocol'

/** Characters of an id: 132 bits of a hash. */
const ID_LENGTH = 22

/**
 * The id of a signal that was found at a message: the same whenever it is found again. Message ids are those of a visitor
 * and sender, visitors those of a site.
 */
export function signalIdOf(
  siteId: string,
  sender: Sender,
  visitorId: string,
  messageId: string,
  signal: string,
): string {
  return idOf([siteId, sender, visitorId, messageId, signal])
}

/** The id that the same signal has where it was stored before ids named site and sender. */
export function formerSignalIdOf(visitorId: string, messageId: string, signal: string): string {
  return idOf([visitorId, messageId, signal])
}

function idOf(parts: string[]): string {
  return hash('sha256', joined(parts), 'base64url').slice(0, ID_LENGTH)
}

import { joined, type Sender } from '@slotstream/protocol'

/** SHA-256 of a text in UTF-8, as base64url. The core has no hash of its own: programs hand in their platform's. */
export type HashText = (text: string) => string

/** Characters of an id: 132 bits of a hash. */
const ID_LENGTH = 22

/**
 * Returns the id of a signal that was found at a message: the same whenever it is found again. Message ids are those of
 * a visitor and sender, visitors those of a site.
 */
export function signalIdOf(
  siteId: string,
  sender: Sender,
  visitorId: string,
  messageId: string,
  signal: string,
  hash: HashText,
): string {
  return idOfTexts([siteId, sender, visitorId, messageId, signal], hash)
}

/** Returns the id that the same signal has where it was stored before ids named site and sender. */
export function formerSignalIdOf(visitorId: string, messageId: string, signal: string, hash: HashText): string {
  return idOfTexts([visitorId, messageId, signal], hash)
}

/** Returns the id of what these texts name, each of which may hold anything. */
export function idOfTexts(texts: readonly string[], hash: HashText): string {
  return hash(joined(texts)).slice(0, ID_LENGTH)
}

import { idOf, isObject, MAX_MESSAGE_BYTES, MAX_NAME_LENGTH } from '@slotstream/protocol'
import { cutBytes, jsonText } from '../../http/body/json-text.js'

/**
 * Returns what is kept of a rejected message: its text, or as much of it as a message may have. What is cut has the ids
 * in front, because the rows of a person are found by them: it must not outlive the deletion of the person.
 *
 * @param text the message as JSON, perhaps in the client's own words
 */
export function rejectedPayload(raw: unknown, text: string): string {
  if (Buffer.byteLength(text) <= MAX_MESSAGE_BYTES) return text
  const compact = jsonText(raw)
  if (!isObject(raw) || Buffer.byteLength(compact) <= MAX_MESSAGE_BYTES) return cutBytes(compact, MAX_MESSAGE_BYTES)
  const { messageId, anonymousId, userId, previousId } = raw
  const ids = Object.entries({ messageId, anonymousId, userId, previousId }).filter(([, id]) => isShort(idOf(id)))
  if (ids.length === 0) return cutBytes(compact, MAX_MESSAGE_BYTES)
  return cutBytes(`${jsonText(Object.fromEntries(ids)).slice(0, -1)},${compact.slice(1)}`, MAX_MESSAGE_BYTES)
}

/** A longer one can't be asked for. */
function isShort(id: unknown): boolean {
  return typeof id === 'string' && id.length <= MAX_NAME_LENGTH
}

import { hash } from 'node:crypto'
import { jsonText } from '../../http/body/json-text.js'

/** Ids that broken code makes: equal for messages that have nothing in common. */
const MEANINGLESS = /^(undefined|null|nan|none|nil|true|false|\[object \w+\]|0+|[0-]{36}|\s+)$/i
/** Control characters and spaces, which no library puts into an id. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNPRINTABLE = /[\u0001-\u0020\u007f-\u00a0\u2028\u2029]/
/** An id of an ordinary library: the check of nearly every message ends here. */
const USUAL = /^[\w.:-]{6,}$/

/**
 * Gives a message whose id is no plausible one another, in place, and keeps the original as
 * `context.originalMessageId`. The new id is made of the whole message: the same when it is sent again, and different
 * for messages that only share a broken id, of which all but one would otherwise be taken for duplicates.
 *
 * @returns whether it did
 */
export function replaceImplausibleId(raw: unknown): boolean {
  if (typeof raw !== 'object' || raw === null) return false
  const message = raw as { messageId?: unknown; context?: unknown; sentAt?: unknown }
  const { messageId, context } = message
  if (typeof messageId !== 'string' || messageId === '' || isPlausible(messageId)) return false
  const { sentAt: _differs, ...rest } = message
  if (context !== undefined && (typeof context !== 'object' || Array.isArray(context))) return false
  message.messageId = `made-${hash('sha256', jsonText(rest), 'base64url').slice(0, 32)}`
  message.context = { ...context, originalMessageId: messageId.slice(0, 256) }
  return true
}

function isPlausible(id: string): boolean {
  if (USUAL.test(id)) return id !== 'undefined' && !(id.startsWith('0') && MEANINGLESS.test(id))
  // NUL is told to the client, as in any other id.
  return id.includes('\0') || !(MEANINGLESS.test(id) || UNPRINTABLE.test(id))
}

import { isObject, type KeyKind, parseJson, parseTime, type Sender } from '@slotstream/protocol'
import { derivedId } from '../ids.js'
import type { RejectedRow } from './rejected-rows.js'

/** A rejected message that can be sent once more. */
export interface Candidate {
  messageId: string
  /** Message as the route takes it. */
  replay: { message: object; receivedAt: string; sender: KeyKind; sentAt?: string; userAgent?: string }
  /** Its kind of key, as the column `sender` of `events` says it. */
  sender: Sender
  /** Size of the message, in characters. */
  size: number
  /** Its own time, or that of its receipt, in milliseconds since the epoch. */
  time: number
  visitor: [anonymousId: string, userId: string]
  event: string
}

/**
 * Returns a row in the form in which it is sent; undefined when its payload is no message, such as one that was cut
 * because it is too large. A message that came without an id gets one that is made of the row, the same each time.
 */
export function candidateOf(siteId: string, row: RejectedRow): Candidate | undefined {
  const message = parseJson(row.payload)
  if (!isObject(message)) return undefined
  const { received, stream_seq, batch_index, sender = 'public' } = row
  const ownId = textOf(message.messageId)
  const messageId = ownId || derivedId(received, siteId, String(stream_seq), String(batch_index), row.payload)
  return {
    messageId,
    replay: {
      message: { ...message, messageId },
      receivedAt: new Date(received).toISOString(),
      sender,
      ...(row.sent === null ? {} : { sentAt: new Date(row.sent).toISOString() }),
      ...(row.user_agent ? { userAgent: row.user_agent } : {}),
    },
    sender: sender === 'public' && isUnsigned(message) ? 'unsigned' : sender,
    size: row.payload.length,
    time: (typeof message.timestamp === 'string' ? parseTime(message.timestamp) : undefined) ?? received,
    visitor: [textOf(message.anonymousId), textOf(message.userId)],
    event: textOf(message.event) || textOf(message.type),
  }
}

/** Returns the collector's own verdict, which it put into the message. */
function isUnsigned({ context }: Record<string, unknown>): boolean {
  const { identity } = (context ?? {}) as { identity?: { verified?: unknown } | null }
  return identity?.verified === false
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : ''
}

import { type EventEnvelope, parseEventEnvelope, parseExact, parseStored } from '@slotstream/protocol'

/**
 * Parses a message of the stream EVENTS. Returns an error that says what is wrong without repeating what the visitor
 * sent. Collectors checked the message; this checks what a foreign publisher could get wrong. Whole numbers that
 * JavaScript would round are text, as they are in the context of requests and in what administrators set.
 */
export function parseEnvelope(data: Uint8Array): EventEnvelope | Error {
  const parsed = parseStored(data, parseEventEnvelope, parseExact)
  return parsed.ok ? parsed.value : new Error(parsed.reason)
}

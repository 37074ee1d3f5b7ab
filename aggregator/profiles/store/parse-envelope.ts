import { type EventEnvelope, parseEventEnvelope, parseStored } from '@slotstream/protocol'

/**
 * A message of the stream EVENTS, or an error that says what is wrong without repeating what the visitor sent.
 * Collectors checked it; what is looked at here is what a foreign publisher could get wrong.
 */
export function parseEnvelope(data: Uint8Array): EventEnvelope | Error {
  const parsed = parseStored(data, parseEventEnvelope)
  return parsed.ok ? parsed.value : new Error(parsed.reason)
}

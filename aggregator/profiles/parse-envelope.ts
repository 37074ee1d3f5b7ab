import type { EventEnvelope } from '@slotstream/protocol'

const decoder = new TextDecoder()

/**
 * A message of the stream EVENTS. Collectors checked it; what is looked at here is what a foreign publisher could get
 * wrong. Throws an error that says what is wrong without repeating what the visitor sent.
 */
export function parseEnvelope(data: Uint8Array): EventEnvelope {
  const raw = parse(data)
  if (typeof raw !== 'object' || raw === null) throw new Error('the message is not a JSON object')
  const { siteId, visitorId, messages } = raw as Partial<EventEnvelope>
  if (typeof siteId !== 'string' || !siteId || typeof visitorId !== 'string' || !visitorId)
    throw new Error('siteId or visitorId is missing')
  if (!Array.isArray(messages) || !messages.every(message => typeof message === 'object' && message !== null))
    throw new Error('messages is not a list of objects')
  return raw as EventEnvelope
}

function parse(data: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(data))
  } catch {
    throw new Error('the message is not JSON')
  }
}

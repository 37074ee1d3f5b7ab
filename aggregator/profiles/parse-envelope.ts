import { type EventEnvelope, openEnvelope, SENDERS, type SentEnvelope } from '@slotstream/protocol'

const decoder = new TextDecoder()

/**
 * A message of the stream EVENTS, or an error that says what is wrong without repeating what the visitor sent.
 * Collectors checked it; what is looked at here is what a foreign publisher could get wrong.
 */
export function parseEnvelope(data: Uint8Array): EventEnvelope | Error {
  const raw = parse(data)
  if (raw === undefined) return new Error('the message is not JSON')
  if (typeof raw !== 'object' || raw === null) return new Error('the message is not a JSON object')
  const { siteId, visitorId, receivedAt, sender, messages, sent, body } = raw as Partial<EventEnvelope & SentEnvelope>
  if (typeof siteId !== 'string' || !siteId || typeof visitorId !== 'string' || !visitorId)
    return new Error('siteId or visitorId is missing')
  if (sender !== undefined && !SENDERS.includes(sender)) return new Error('sender is none that there is')
  const list: unknown = messages ?? sent ?? body?.batch
  if (!Array.isArray(list) || !list.every(message => typeof message === 'object' && message !== null))
    return new Error('messages is not a list of objects')
  if (!messages && Number.isNaN(Date.parse(receivedAt ?? ''))) return new Error('receivedAt is not a time')
  return openEnvelope(raw as EventEnvelope | SentEnvelope)
}

/** The value, or undefined, which JSON does not have, when it is none. */
function parse(data: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(data))
  } catch {
    return undefined
  }
}

import type { EventEnvelope } from '@slotstream/protocol'
import type { Tombstones } from '@slotstream/runtime'

/** Returns the envelope without the messages that are from before the deletion of a person that they name. */
export function withoutForgotten<T extends EventEnvelope | Error>(envelope: T, tombstones: Tombstones): T {
  if (tombstones.size === 0 || envelope instanceof Error) return envelope
  const { siteId, messages, identity = [] } = envelope
  const remaining = messages.filter(message => !tombstones.isForgotten(siteId, message, Date.parse(message.timestamp)))
  const links = identity.filter(change => {
    const { link, decision } = change
    return !tombstones.isForgotten(siteId, change, link?.firstAt ?? decision?.at ?? 0)
  })
  if (remaining.length === messages.length && links.length === identity.length) return envelope
  return { ...envelope, messages: remaining, ...(envelope.identity && { identity: links }) }
}

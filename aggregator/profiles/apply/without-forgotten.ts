import type { EventEnvelope } from '@slotstream/protocol'
import type { Tombstones } from '@slotstream/runtime'

/** Returns the envelope without what is from before the deletion of a person that it names. */
export function withoutForgotten<T extends EventEnvelope | Error>(envelope: T, tombstones: Tombstones): T {
  if (tombstones.size === 0 || envelope instanceof Error) return envelope
  const { siteId, messages, identity = [], segments } = envelope
  const remaining = messages.filter(message => !tombstones.isForgotten(siteId, message, Date.parse(message.timestamp)))
  const links = identity.filter(change => {
    const { link, decision } = change
    return !tombstones.isForgotten(siteId, change, link?.firstAt ?? decision?.at ?? 0)
  })
  const isNewsForgotten = segments !== undefined && tombstones.isForgotten(siteId, segments, segments.at)
  if (remaining.length === messages.length && links.length === identity.length && !isNewsForgotten) return envelope
  const { segments: _news, ...others } = envelope
  return {
    ...(isNewsForgotten ? others : envelope),
    messages: remaining,
    ...(envelope.identity && { identity: links }),
  } as T
}

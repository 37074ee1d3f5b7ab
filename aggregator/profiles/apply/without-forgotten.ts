import { type EventEnvelope, idsOfVisitor, type StoredMessage } from '@slotstream/protocol'
import type { Tombstones } from '@slotstream/runtime'

/** Returns the envelope without what is from before the deletion of a person that it names. */
export function withoutForgotten<T extends EventEnvelope | Error>(envelope: T, tombstones: Tombstones): T {
  if (tombstones.size === 0 || envelope instanceof Error) return envelope
  const { siteId, visitorId, messages, identity = [], segments, served = [], forwarded = [], hearsay } = envelope
  const isKept = (message: StoredMessage) => !tombstones.isForgotten(siteId, message, Date.parse(message.timestamp))
  const isOfVisitorKept = (at: number) => !tombstones.isForgotten(siteId, idsOfVisitor(visitorId), at)
  const isPassedKept = (message: StoredMessage) => isKept(message) && isOfVisitorKept(Date.parse(message.timestamp))
  const remaining = messages.filter(isKept)
  const links = identity.filter(change => {
    const { link, decision } = change
    return !tombstones.isForgotten(siteId, change, link?.firstAt ?? decision?.at ?? 0)
  })
  const isNewsForgotten = segments !== undefined && tombstones.isForgotten(siteId, segments, segments.at)
  const decisions = served.filter(({ at }) => isOfVisitorKept(at))
  const rewards = forwarded.filter(isPassedKept)
  const heard = hearsay?.messages.filter(isPassedKept)
  const isWhole =
    rewards.length === forwarded.length &&
    heard?.length === hearsay?.messages.length &&
    remaining.length === messages.length &&
    links.length === identity.length &&
    decisions.length === served.length
  if (isWhole && !isNewsForgotten) return envelope
  const { segments: _news, ...others } = envelope
  return {
    ...(isNewsForgotten ? others : envelope),
    messages: remaining,
    ...(envelope.identity && { identity: links }),
    ...(envelope.served && { served: decisions }),
    ...(envelope.forwarded && { forwarded: rewards }),
    ...(hearsay && { hearsay: { ...hearsay, messages: heard } }),
  } as T
}

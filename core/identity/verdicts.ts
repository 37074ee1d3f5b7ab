import {
  type EventEnvelope,
  type IdentityChange,
  idsOfVisitor,
  isPersonKey,
  type Link,
  type Links,
  type LinkVerdict,
} from '@slotstream/protocol'
import { guardOfUser } from './links.js'

/**
 * Returns what a user's partition has to tell those of browsers: of which the user's guard holds back, or lets go, what
 * they cannot know. Which they know follows from the links before, and from what a browser says with its news: one that
 * missed a verdict, or has one that no longer holds, is told again.
 *
 * @param before links of the user before the envelope
 * @param after links with what the envelope says
 * @param seq place of the envelope in the stream of the user's partition
 */
export function verdictsOf(
  before: Links = {},
  after: Links | undefined,
  { visitorId, identity = [], segments }: EventEnvelope,
  seq: number,
): IdentityChange[] {
  const browser = segments?.anonymousId
  if (!after || !isPersonKey(visitorId) || (after === before && !browser)) return []
  const { userId } = idsOfVisitor(visitorId)
  const [wasHeld, isHeld] = [guardOfUser(userId, before), guardOfUser(userId, after)]
  const links = new Map<string, Partial<Link>>(identity.map(({ anonymousId, link = {} }) => [anonymousId, link]))
  for (const [other, link] of [...Object.entries(before), ...Object.entries(after)]) links.set(other, link)
  /** Whether each browser takes it that it is held back. */
  const believed = new Map([...links.keys()].map(other => [other, Object.hasOwn(before, other) && wasHeld(other)]))
  // One that is heard of once more may have been left out, or its partition may be new: to tell it again is harmless.
  for (const { anonymousId, link } of identity) if (link && isHeld(anonymousId)) believed.set(anonymousId, false)
  if (browser) believed.set(browser, segments.isHeld === true)
  const verdicts: IdentityChange[] = []
  for (const [anonymousId, believesHeld] of believed) {
    const link = links.get(anonymousId)
    if (isHeld(anonymousId) === believesHeld || link?.decision) continue
    verdicts.push(verdictOf(anonymousId, userId, link, { isHeld: !believesHeld, seq }))
  }
  return verdicts
}

/** Returns a verdict as it is told, with the first message of the link: the browser may hear of that later. */
export function verdictOf(
  anonymousId: string,
  userId: string,
  link: Partial<Link> | undefined,
  verdict: LinkVerdict,
): IdentityChange {
  const { firstAt, cause = '' } = link ?? {}
  return { anonymousId, userId, ...(firstAt !== undefined && { link: { firstAt, lastAt: firstAt, cause } }), verdict }
}

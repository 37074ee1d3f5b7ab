import { type Merge, mergesOf } from '@slotstream/core'
import { type Link, type Links, visitorIdOf } from '@slotstream/protocol'
import { hashText } from '#aggregator/hash-text.js'
import { withLink } from '#core/identity/links.js'

/** What a message, or an administrator, says about a browser and a user. */
export interface Said {
  anonymousId: string
  userId: string
  link: Partial<Link>
}

/** Returns the merges as profiles have them once they know all of what was said, in whatever order. */
export function mergesOfMessages(siteId: string, said: readonly Said[]): Merge[] {
  const visitors = new Map<string, { visitorId: string; anonymousId: string; userId: string; links: Links }>()
  const add = (ids: { anonymousId: string } | { userId: string }, other: string, link: Partial<Link>) => {
    const visitorId = visitorIdOf(ids)
    const before = visitors.get(visitorId) ?? { visitorId, anonymousId: '', userId: '', ...ids, links: {} }
    visitors.set(visitorId, { ...before, links: withLink(before.links, other, link) })
  }
  for (const { anonymousId, userId, link } of said) {
    add({ anonymousId }, userId, link)
    add({ userId }, anonymousId, link)
  }
  return mergesOf(siteId, [...visitors.values()], visitors, hashText)
}

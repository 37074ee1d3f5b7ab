import { type IdentityChange, isPersonKey, type Links, type StoredMessage } from '@slotstream/protocol'
import { withLink } from './links.js'

/** Users that one envelope's messages name, with the times of the first and the latest. */
export interface NamedUsers {
  /** Notes a message of time `at`, in milliseconds since the epoch. */
  note(message: StoredMessage, at: number): void
  /** Returns the browser's links with these users, and what the users' partitions have to be told. */
  finish(links: Links | undefined): { links: Links | undefined; changes: IdentityChange[] }
}

/**
 * Begins to collect the users that messages of a visitor name. A server's message of a user without a browser names
 * no new user.
 */
export function collectUsers(visitorId: string): NamedUsers {
  const named = new Map<string, { anonymousId: string; firstAt: number; lastAt: number; cause: string }>()
  return {
    note({ type, userId, anonymousId }, at) {
      if (!userId || !anonymousId || isPersonKey(visitorId)) return
      const noted = named.get(userId)
      if (!noted) named.set(userId, { anonymousId, firstAt: at, lastAt: at, cause: type })
      else {
        if (at < noted.firstAt) Object.assign(noted, { firstAt: at, cause: type })
        noted.lastAt = Math.max(noted.lastAt, at)
      }
    },
    finish(before) {
      let links = before
      const changes: IdentityChange[] = []
      for (const [userId, { anonymousId, ...link }] of named) {
        const linkBefore = links && Object.hasOwn(links, userId) ? links[userId] : undefined
        if (linkBefore && linkBefore.firstAt <= link.firstAt && linkBefore.lastAt >= link.lastAt) continue
        links = withLink(links ?? {}, userId, link)
        if (!linkBefore || link.firstAt < linkBefore.firstAt) changes.push({ anonymousId, userId, link })
      }
      return { links, changes }
    },
  }
}

/** Returns a visitor's links with changes that another partition told. */
export function applyChanges(links: Links | undefined, visitorId: string, changes: readonly IdentityChange[]): Links {
  return changes.reduce((all, { anonymousId, userId, link, decision }) => {
    const other = isPersonKey(visitorId) ? anonymousId : userId
    return withLink(all, other, { ...link, ...(decision && { decision }) })
  }, links ?? {})
}

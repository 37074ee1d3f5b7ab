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
 * Returns what an alias says of a browser that did not send it: whose `previousId` that is. Nothing where it is
 * undefined.
 *
 * @param at time of the message, in milliseconds since the epoch
 */
export function aliasOf(
  { type, userId, anonymousId, previousId }: StoredMessage,
  at: number,
): (IdentityChange & Required<Pick<IdentityChange, 'link'>>) | undefined {
  if (type !== 'alias' || !userId || !previousId || previousId === anonymousId) return undefined
  return { anonymousId: previousId, userId, link: { firstAt: at, lastAt: at, cause: type } }
}

/**
 * Begins to collect the users that messages of a visitor name. A server's message of a user without a browser names
 * no new user, but for an alias.
 */
export function collectUsers(visitorId: string): NamedUsers {
  const named = new Map<string, { anonymousId: string; firstAt: number; lastAt: number; cause: string }>()
  const aliases = new Map<string, NonNullable<ReturnType<typeof aliasOf>>>()
  return {
    note(message, at) {
      const { type, userId, anonymousId } = message
      const alias = aliasOf(message, at)
      if (alias) aliases.set(message.messageId, alias)
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
      for (const alias of aliases.values()) {
        if (isPersonKey(visitorId)) links = withLink(links ?? {}, alias.anonymousId, alias.link)
        changes.push(alias)
      }
      return { links, changes }
    },
  }
}

/** Returns a visitor's links with changes that another partition told. Verdicts are for browsers. */
export function applyChanges(links: Links | undefined, visitorId: string, changes: readonly IdentityChange[]): Links {
  return changes.reduce((all, { anonymousId, userId, link, decision, verdict }) => {
    const isUser = isPersonKey(visitorId)
    const ofBrowser = !isUser && verdict && { verdict }
    return withLink(all, isUser ? anonymousId : userId, { ...link, ...(decision && { decision }), ...ofBrowser })
  }, links ?? {})
}

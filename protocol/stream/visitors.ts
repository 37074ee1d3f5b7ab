import { hash32 } from './hash.js'

/** Number of partitions of a new installation. It is kept with the data and can't change later. */
export const DEFAULT_PARTITIONS = 32

/** Prefixes of visitor keys. An `anonymousId` that begins with one of them gets `visitor:` in front. */
const PERSON = 'user:'
const BROWSER = 'visitor:'

/**
 * Returns the key that a visitor's messages are ordered, stored and counted by: the browser, or the person when a
 * server names only a `userId`. The prefix keeps the two apart, so that no client reads a person's profile by choosing
 * an `anonymousId` that equals a `userId`, prefixed or not. Returns '' when there is neither.
 *
 * Values are stored in streams, buckets and tables: they must not change. `visitorKeySql` is the same in SQL.
 */
export function visitorIdOf(message: { anonymousId?: string | undefined; userId?: string | undefined }): string {
  const { anonymousId } = message
  if (anonymousId) return isPrefixed(anonymousId) ? `${BROWSER}${anonymousId}` : anonymousId
  return message.userId ? `${PERSON}${message.userId}` : ''
}

/** Returns the ids that a visitor key is made of. */
export function idsOfVisitor(visitorId: string): { anonymousId: string; userId: string } {
  if (isPersonKey(visitorId)) return { anonymousId: '', userId: visitorId.slice(PERSON.length) }
  return { anonymousId: visitorId.startsWith(BROWSER) ? visitorId.slice(BROWSER.length) : visitorId, userId: '' }
}

/**
 * Writes `visitorIdOf` as an expression of ClickHouse. Absent ids are '' in tables.
 *
 * @param anonymousId,userId SQL of ours, such as names of columns, never of a client
 */
export function visitorKeySql(anonymousId = 'anonymous_id', userId = 'user_id'): string {
  const prefixed = [PERSON, BROWSER].map(prefix => `startsWith(${anonymousId}, '${prefix}')`).join(' OR ')
  return (
    `multiIf(${anonymousId} = '', if(${userId} = '', '', concat('${PERSON}', ${userId})), ` +
    `${prefixed}, concat('${BROWSER}', ${anonymousId}), ${anonymousId})`
  )
}

/**
 * Writes what a person counts as in experiments as an expression of ClickHouse, over columns of `decisions`: the key of
 * a user, else that of the browser. The column `person` has the id alone, of a user or of a browser, which may be
 * called as a user is.
 */
export function unitKeySql(): string {
  const isBrowser = `anonymous_id != '' AND user_id = '' AND person IN (anonymous_id, concat('${BROWSER}', anonymous_id))`
  return `if(person = '' OR anonymous_id = '' OR (${isBrowser}), ${visitorKeySql()}, concat('${PERSON}', person))`
}

/** Tells whether a visitor key is that of a person whom a server named without a browser. */
export function isPersonKey(visitorId: string): boolean {
  return visitorId.startsWith(PERSON)
}

function isPrefixed(id: string): boolean {
  return id.startsWith(PERSON) || id.startsWith(BROWSER)
}

/**
 * Returns the partition of a visitor: all of one visitor's messages are in one partition, in order. No id holds NUL, so
 * no two visitors have the same text; `visitorText` says so of any two ids.
 */
export function partitionOf(siteId: string, visitorId: string, partitions: number): number {
  return hash32(visitorText(siteId, visitorId)) % partitions
}

/** Returns a site's visitor as one text. Site ids are small letters, digits and hyphens, so the first NUL ends them. */
export function visitorText(siteId: string, visitorId: string): string {
  return `${siteId}\0${visitorId}`
}

/** Partitions, at most, that the messages of one heavy sender are spread over. */
const SPREAD = 16

/**
 * Returns the partition of a message whose sender is spread. It depends on the message's id alone: each send of it goes
 * to the same partition, where a late copy is known.
 */
export function spreadPartitionOf(siteId: string, visitorId: string, messageId: string, partitions: number): number {
  return partitionOf(siteId, `${visitorId}\0${hash32(messageId) % SPREAD}`, partitions)
}

/** Returns a share of visitors, stable per visitor and purpose, as a number in [0, 1). */
export function shareOf(purpose: string, siteId: string, visitorId: string): number {
  return hash32(`${purpose}\0${visitorText(siteId, visitorId)}`) / 2 ** 32
}

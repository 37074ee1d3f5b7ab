import { isPersonKey, type Links, type Profile } from '@slotstream/protocol'
import { settleUsers } from './links.js'
import { userOfMessage } from './person.js'

/** The user whom something belongs to that was done on a browser. */
export interface Owner {
  /** '' for the browser itself. */
  userId: string
  /** True if it belongs to another one than what was done under no `userId`. */
  isApart: boolean
}

/**
 * Returns whom a message of a browser belongs to, by its links after the message.
 *
 * @param userId that the message proves; '' for none
 */
export function ownerOf(links: Links | undefined, userId: string): Owner {
  const settled = settleUsers(links ?? {})
  const owner = userOfMessage({ userId }, settled)
  return { userId: owner, isApart: owner !== userOfMessage({ userId: '' }, settled) }
}

/** Returns whether all that is done on a browser belongs to one: it named no other user than this one. */
export function isOfOne(links: Links | undefined, userId: string): boolean {
  let others = 0
  for (const other in links) if (other !== userId) others++
  return others === 0 || (others === 1 && userId === '')
}

/**
 * Returns the user whose a signal is that was found in a visitor's messages.
 *
 * @param userId of the message, '' for none
 */
export function userOfSignal({ visitorId, userId: named, links }: Profile, userId: string): string {
  // Users are themselves; a browser without links was stored before there were any.
  return isPersonKey(visitorId) || !links ? named : ownerOf(links, userId).userId
}

import { hash32 } from '@slotstream/protocol'
import { MAX_USERS_APART } from './ladder.js'

/** The key of what users did who are not told apart. */
export const OTHER_USERS = ''

/**
 * Returns those of a browser's users whose features are told apart, and the key of all others where there are any.
 *
 * @param most users that are told apart
 */
export function usersApart(userIds: Iterable<string>, most = MAX_USERS_APART): Set<string> {
  const all = new Set(userIds)
  const hadOthers = all.delete(OTHER_USERS)
  const users = [...all]
  if (users.length > most) users.sort((a, b) => hash32(a) - hash32(b))
  const apart = new Set(users.slice(0, most))
  return hadOthers || users.length > most ? apart.add(OTHER_USERS) : apart
}

import { hash } from 'node:crypto'
import { type Merge, mergesOf, pairsOf, userOfBrowser } from '@slotstream/core'
import { idsOfVisitor, isPersonKey, type LinkedVisitor, visitorIdOf } from '@slotstream/protocol'
import type { ReadProfiles } from '../profiles/read-profiles.js'
import type { PersonRequest } from './requests.js'

/**
 * Reads the merges of a person: of the user with all browsers, and of the browser that was asked for with all users.
 * Both sides of each are asked for its state.
 *
 * @param person a userId, an anonymousId, or a person's id
 * @throws Failure `unavailable` when an owner cannot be reached
 */
export async function readMerges(readProfiles: ReadProfiles, siteId: string, person: PersonRequest): Promise<Merge[]> {
  const visitors = new Map<string, LinkedVisitor>()
  const tried = new Set<string>()

  /** Reads visitors who were not read before. */
  async function read(keys: readonly string[]): Promise<LinkedVisitor[]> {
    const missing = [...new Set(keys)].filter(key => !tried.has(key))
    for (const key of missing) tried.add(key)
    const linked = (await readProfiles(siteId, missing, 'linked')).filter(each => each !== undefined) as LinkedVisitor[]
    for (const visitor of linked) visitors.set(visitor.visitorId, visitor)
    return linked
  }

  const named = await read(keysOf(person))
  const users = named.filter(({ visitorId }) => !isPersonKey(visitorId)).map(userOfBrowser)
  const ofPerson = [...named, ...(await read(users.filter(Boolean).map(userId => visitorIdOf({ userId }))))]
  await read(
    ofPerson
      .flatMap(pairsOf)
      .flatMap(({ browser, userId }) => [visitorIdOf({ anonymousId: browser }), visitorIdOf({ userId })]),
  )
  return mergesOf(siteId, ofPerson, visitors, text => hash('sha256', text, 'base64url'))
}

function keysOf({ id, as }: PersonRequest): string[] {
  if (as === undefined && isPersonKey(id) && idsOfVisitor(id).userId !== '') return [id]
  return [
    ...(as === 'anonymousId' ? [] : [visitorIdOf({ userId: id })]),
    ...(as === 'userId' ? [] : [visitorIdOf({ anonymousId: id })]),
  ]
}

import { applyChanges, profileOfLink } from '@slotstream/core'
import { type IdentityChange, isPersonKey, type Profile, visitorIdOf } from '@slotstream/protocol'
import type { NewGeneration } from './new-generation.js'

/** Users that the profiles of browsers name, for the profiles of the users. */
export interface LinkList {
  /** Yields profiles as they come, and notes the links of browsers. */
  noted(profiles: AsyncIterable<Profile> | Iterable<Profile>): AsyncGenerator<Profile>
  /** Writes the links into the profiles of users. The live roles learn of later ones by the stream. */
  writeTo(generation: Pick<NewGeneration, 'read' | 'writeAll'>): Promise<void>
}

/**
 * Creates an empty list. What told a user's partition of a link may be gone from the stream, and the table of events does
 * not have it; the browser's own messages say it, too.
 */
export function createLinkList(): LinkList {
  const changes = new Map<string, { siteId: string; ofUser: IdentityChange[] }>()

  function note({ siteId, visitorId, anonymousId, links }: Profile): void {
    if (isPersonKey(visitorId)) return
    for (const [userId, { decision: _ofAdministrators, ...link }] of Object.entries(links ?? {})) {
      const key = `${siteId}\0${visitorIdOf({ userId })}`
      const known = changes.get(key) ?? { siteId, ofUser: [] }
      known.ofUser.push({ anonymousId, userId, link })
      changes.set(key, known)
    }
  }

  async function* linked(generation: Pick<NewGeneration, 'read'>): AsyncGenerator<Profile> {
    for (const { siteId, ofUser } of changes.values()) {
      const [first] = ofUser
      const visitorId = visitorIdOf({ userId: first!.userId })
      const { profile = profileOfLink(siteId, visitorId, first!) } = await generation.read(siteId, visitorId)
      yield { ...profile, links: applyChanges(profile.links, visitorId, ofUser) }
    }
  }

  return {
    async *noted(profiles) {
      for await (const profile of profiles) {
        note(profile)
        yield profile
      }
    },
    async writeTo(generation) {
      await generation.writeAll(linked(generation))
    },
  }
}

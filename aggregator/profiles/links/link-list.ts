import { aliasOf, applyChanges, guardOfUser, profileOfLink, verdictOf } from '@slotstream/core'
import {
  type EventEnvelope,
  type IdentityChange,
  idsOfVisitor,
  isPersonKey,
  type Profile,
  senderOf,
  visitorIdOf,
  visitorText,
} from '@slotstream/protocol'
import type { DecidedLink } from './decided-links.js'

/** Profiles that are being computed. */
export interface ComputedProfiles {
  read(siteId: string, visitorId: string): Promise<{ profile: Profile | undefined }>
  writeAll(profiles: AsyncIterable<Profile>): Promise<unknown>
}

/** Users that the profiles of browsers name, for the profiles of the users, and decisions about both. */
export interface LinkList {
  /** Notes a decision, for the profiles of both sides. */
  decided(link: DecidedLink): void
  /** Notes the browsers that the aliases of an envelope name, for the profiles of both sides. */
  aliased(envelope: EventEnvelope): void
  /** Yields profiles as they come, and notes the links of browsers. */
  noted(profiles: AsyncIterable<Profile> | Iterable<Profile>): AsyncGenerator<Profile>
  /**
   * Writes the links into the profiles of users, and decisions, aliases and what the guards of users say into those of
   * browsers, too. The live roles learn of later ones by the stream.
   */
  writeTo(profiles: ComputedProfiles): Promise<void>
}

/** Changes by the key of the profile that they are for. */
type Changes = Map<string, { siteId: string; visitorId: string; ofVisitor: IdentityChange[] }>

/**
 * Creates an empty list. What told a user's partition of a link may be gone from the stream, and the table of events
 * does not have it; the browser's own messages say it, too.
 */
export function createLinkList(): LinkList {
  const changes: Changes = new Map()

  function addToBoth(siteId: string, change: IdentityChange): void {
    add(changes, siteId, visitorIdOf({ anonymousId: change.anonymousId }), change)
    add(changes, siteId, visitorIdOf({ userId: change.userId }), change)
  }

  function note({ siteId, visitorId, links }: Profile): void {
    if (isPersonKey(visitorId)) return
    const { anonymousId } = idsOfVisitor(visitorId)
    for (const [userId, { decision: _ofBothSides, verdict, ...link }] of Object.entries(links ?? {}))
      add(changes, siteId, visitorIdOf({ userId }), { anonymousId, userId, link, ...(verdict && { verdict }) })
  }

  return {
    decided: ({ siteId, change }) => addToBoth(siteId, change),
    aliased({ siteId, sender, spread, messages }) {
      // As when it was applied: of a claim, and of a sender that is no visitor, nothing follows.
      if (spread || senderOf(sender) === 'unsigned') return
      for (const message of messages) {
        const change = aliasOf(message, Date.parse(message.timestamp))
        if (change) addToBoth(siteId, change)
      }
    },
    async *noted(profiles) {
      for await (const profile of profiles) {
        note(profile)
        yield profile
      }
    },
    async writeTo(profiles) {
      const verdicts: Changes = new Map()
      await profiles.writeAll(linked(profiles, changes, verdicts))
      await profiles.writeAll(linked(profiles, verdicts))
    },
  }
}

/** Yields the profiles with their changes. What the guards of users say of browsers then is put into `verdicts`. */
async function* linked(
  computed: Pick<ComputedProfiles, 'read'>,
  changes: Changes,
  verdicts?: Changes,
): AsyncGenerator<Profile> {
  for (const { siteId, visitorId, ofVisitor } of changes.values()) {
    const { profile = profileOfLink(siteId, visitorId, ofVisitor[0]!) } = await computed.read(siteId, visitorId)
    const after = { ...profile, links: applyChanges(profile.links, visitorId, ofVisitor) }
    if (verdicts && isPersonKey(visitorId)) addVerdicts(verdicts, after, ofVisitor)
    yield after
  }
}

/** Adds what the guard of a user says of browsers that name the user, where that is not what they were told last. */
function addVerdicts(verdicts: Changes, { siteId, visitorId, seq, links }: Profile, ofUser: IdentityChange[]): void {
  const { userId } = idsOfVisitor(visitorId)
  const guard = guardOfUser(userId, links ?? {})
  for (const { anonymousId, link, verdict } of ofUser) {
    const isHeld = guard(anonymousId)
    if (isHeld === (verdict?.isHeld ?? false)) continue
    const change = verdictOf(anonymousId, userId, link, { isHeld, seq: Math.max(seq, (verdict?.seq ?? -1) + 1) })
    add(verdicts, siteId, visitorIdOf({ anonymousId }), change)
  }
}

function add(changes: Changes, siteId: string, visitorId: string, change: IdentityChange): void {
  const key = visitorText(siteId, visitorId)
  const entry = changes.get(key) ?? { siteId, visitorId, ofVisitor: [] }
  entry.ofVisitor.push(change)
  changes.set(key, entry)
}

import { isPersonKey, type JsonObject, type Profile } from '@slotstream/protocol'
import { compareTexts } from '../compare-texts.js'
import { mergeTraits } from '../profile/traits/trait-set.js'
import { traitsOfUser, userOfBrowser } from './person.js'

/** Facts about a person that segments read beside features and signals. */
export interface AboutPerson {
  traits: JsonObject
  profile: Pick<Profile, 'firstSeen' | 'lastSeen' | 'sessions' | 'events'>
}

/**
 * Adds up what the profiles of a person say: of two values of a trait the one that was set last. The times and counts
 * of a browser that belongs to another user now say nothing, unless no other has messages.
 *
 * @param userId '' for a browser without a user
 * @param profiles one at least
 */
export function aboutPerson(userId: string, profiles: readonly Profile[]): AboutPerson {
  const inOrder = [...profiles].sort(
    (a, b) => compareTexts(a.lastSeen, b.lastSeen) || compareTexts(a.visitorId, b.visitorId),
  )
  const ofUser = inOrder.filter(profile => isPersonKey(profile.visitorId) || userOfBrowser(profile) === userId)
  // One without messages is of a visitor of whom another partition told.
  const counted = [ofUser.filter(hasMessages), profiles.filter(hasMessages), profiles].find(list => list.length > 0)!
  return {
    traits: mergeTraits(inOrder.map(profile => traitsOfUser(profile, userId))).traits as JsonObject,
    profile: {
      firstSeen: counted.map(({ firstSeen }) => firstSeen).sort(compareTexts)[0]!,
      lastSeen: counted
        .map(({ lastSeen }) => lastSeen)
        .sort(compareTexts)
        .at(-1)!,
      sessions: counted.reduce((sum, { sessions }) => sum + sessions, 0),
      events: counted.reduce((sum, { events }) => sum + events, 0),
    },
  }
}

function hasMessages({ events }: Profile): boolean {
  return events > 0
}

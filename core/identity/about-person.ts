import { isPersonKey, type JsonObject, type Profile } from '@slotstream/protocol'
import { compareTexts } from '../compare-texts.js'
import { userOfBrowser } from './person.js'

/** Facts about a person that segments read beside features and signals. */
export interface AboutPerson {
  traits: JsonObject
  profile: Pick<Profile, 'firstSeen' | 'lastSeen' | 'sessions' | 'events'>
}

/**
 * Adds up what the profiles of a person say: of two values of a trait that of the visitor who was seen last. A browser
 * that belongs to another user now says nothing, unless no other has messages: then its times and counts are all there
 * is.
 *
 * @param userId '' for a browser without a user
 * @param profiles one at least
 */
export function aboutPerson(userId: string, profiles: readonly Profile[]): AboutPerson {
  const ofUser = profiles
    .filter(profile => isPersonKey(profile.visitorId) || userOfBrowser(profile) === userId)
    .sort((a, b) => compareTexts(a.lastSeen, b.lastSeen) || compareTexts(a.visitorId, b.visitorId))
  // One without messages is of a visitor of whom another partition told.
  const counted = [ofUser.filter(hasMessages), profiles.filter(hasMessages), profiles].find(list => list.length > 0)!
  return {
    traits: Object.assign({}, ...ofUser.map(({ traits }) => traits)),
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

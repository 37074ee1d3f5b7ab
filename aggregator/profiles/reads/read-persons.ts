import {
  type AboutPerson,
  aboutPerson,
  type Features,
  foldPerson,
  joinedBrowsers,
  namesOfMembers,
  namesOfSignals,
  type Suspicion,
  settleBrowser,
  statesOfUser,
  stoppedOf,
  suspicionOf,
  userOfBrowser,
} from '@slotstream/core'
import {
  type FeatureStates,
  idsOfVisitor,
  isPersonKey,
  type KeptDecision,
  type Profile,
  visitorIdOf,
} from '@slotstream/protocol'
import type { ReadStored } from './read-stored.js'

/** A person as their browsers make them. */
export interface Person extends AboutPerson {
  /** The user's id; of a browser without a user its own id. */
  id: string
  /** '' for none. */
  userId: string
  /** Anonymous ids of the browsers. */
  browsers: string[]
  features: FeatureStates
  /** Names of the segments that the person was last found in: those with `leaveWhere` ask for them. */
  members: string[]
  /** Names of signals that were detected lately on any of the browsers. */
  signals: string[]
  /** Evidence of whether they behave as a program does. */
  suspicion: Suspicion
  /** Latest decisions that showed something on any of the browsers. */
  decisions: readonly KeptDecision[]
  /** Content that the person is not shown again. */
  stopped: readonly string[]
  /** Time when the oldest of the profiles was read from its owner, in milliseconds since the epoch. */
  readAt: number
}

/** Finds the person whom a visitor belongs to. */
export type ReadPerson = (profile: Profile, features: Features) => Promise<Person>

/**
 * Creates the function that finds the person whom a visitor belongs to, from the profiles of all of the person's
 * browsers. What the visitor's own partition knows counts at once.
 *
 * @param readStored reads profiles of any partition
 */
export function createReadPerson(readStored: ReadStored, now: () => number = Date.now): ReadPerson {
  return async (profile, features) => {
    const { siteId, visitorId } = profile
    const { anonymousId } = idsOfVisitor(visitorId)
    const userId = userOfBrowser(profile)
    if (userId === '') return browserAlone(profile, [''], features)
    const userKey = visitorIdOf({ userId })
    const ofUser = visitorId === userKey ? { profile, readAt: now() } : (await readStored(siteId, [userKey]))[0]!
    const links = ofUser.profile?.links ?? {}
    const joined = joinedBrowsers(userId, links)
    if (!isPersonKey(visitorId)) {
      const state = settleBrowser(userId, links, anonymousId)?.state
      // A guard of the user holds it back, which the browser's partition does not know.
      if (state === 'held') return browserAlone(profile, ['', userId], features)
      // The user's partition may not have heard of this browser yet.
      if (state === undefined) joined.push(anonymousId)
    }
    const others = joined.filter(browser => visitorIdOf({ anonymousId: browser }) !== visitorId)
    const read = await readStored(
      siteId,
      others.map(browser => visitorIdOf({ anonymousId: browser })),
    )
    const profiles = [profile, ...(visitorId === userKey ? [] : [ofUser.profile]), ...read.map(each => each.profile)]
    const existing = profiles.filter(each => each !== undefined)
    const readAt = Math.min(now(), ofUser.readAt, ...read.map(each => each.readAt))
    const members = namesOfMembers(ofUser.profile?.members)
    return personOf({ id: userId, userId, browsers: joined.sort(), members, readAt }, existing, features)
  }

  /** Returns the person that a browser is by itself, with what it did under the ids of some users. */
  function browserAlone(profile: Profile, users: string[], features: Features): Person {
    const { visitorId } = profile
    const { anonymousId } = idsOfVisitor(visitorId)
    const browsers = anonymousId ? [anonymousId] : []
    const members = namesOfMembers(profile.members)
    const named = { id: anonymousId || visitorId, userId: '', browsers, members, readAt: now() }
    return personOf(named, [profile], features, users)
  }
}

/**
 * Returns a person as the profiles of their browsers make them.
 *
 * @param users whose messages are the person's, the last one's traits
 */
function personOf(
  named: Pick<Person, 'id' | 'userId' | 'browsers' | 'members' | 'readAt'>,
  profiles: readonly Profile[],
  features: Features,
  users: readonly string[] = [named.userId],
): Person {
  const states = foldPerson(
    profiles.flatMap(profile => users.map(userId => statesOfUser(profile, userId, features))),
    features,
  )
  return {
    features: states,
    suspicion: suspicionOf(states, features),
    signals: namesOfSignals(profiles, users),
    decisions: profiles.flatMap(({ decisions = [] }) => decisions),
    stopped: stoppedOf(profiles, named.userId),
    // Last: the engine takes ten times as long for an object that begins with a spread.
    ...named,
    ...aboutPerson(users.at(-1)!, profiles),
  }
}

import type { FeatureStates, KeptDecision, Profile } from '@slotstream/protocol'
import { idsOfVisitor, isoTime } from '@slotstream/protocol'
import { NO_SUSPICION, type Suspicion } from '../bots/suspicion.js'
import { emptyStates } from '../features/state/reduce.js'
import type { AboutPerson } from '../identity/about-person.js'
import { traitsOfUser, userOfBrowser } from '../identity/person.js'
import { namesOfSignals } from '../profile/recent-signals.js'

/** A person as decisions see them: all browsers of the person together. */
export interface DecidedPerson extends AboutPerson {
  /** The user's id; the anonymous id of a browser without a user. */
  id: string
  features: FeatureStates
  /** Names of the segments that the person was in when they were last evaluated. */
  members: readonly string[]
  /** Names of recent signals. */
  signals: readonly string[]
  suspicion: Suspicion
  /** Decisions that showed content to the person, from all browsers. */
  decisions: readonly KeptDecision[]
  /** Ids of content that an event stopped for the person (`stopAfter`). */
  stopped: readonly string[]
}

/**
 * Returns the person as the visitor's own profile knows them, without features and segments: enough for slots that read
 * none of these.
 *
 * @param profile undefined: the visitor is new
 * @param now milliseconds since the epoch
 */
export function personOfProfile(visitorId: string, profile: Profile | undefined, now: number): DecidedPerson {
  const seen = { firstSeen: isoTime(now), lastSeen: isoTime(now), sessions: 0, events: 0 }
  return {
    id: (profile && (userOfBrowser(profile) || profile.anonymousId)) || idOfVisitor(visitorId),
    features: emptyStates(0),
    members: [],
    signals: profile ? namesOfSignals([profile], [userOfBrowser(profile)]) : [],
    suspicion: NO_SUSPICION,
    traits: profile ? traitsOfUser(profile, userOfBrowser(profile)).traits : {},
    profile: profile ?? seen,
    decisions: profile?.decisions ?? [],
    stopped: profile?.stopped ?? [],
  } as DecidedPerson
}

/** Returns the anonymous id of a visitor, else the user id. */
function idOfVisitor(visitorId: string): string {
  const { anonymousId, userId } = idsOfVisitor(visitorId)
  return anonymousId || userId
}

import type { FeatureStates, KeptDecision, Profile } from '@slotstream/protocol'
import { idsOfVisitor, isoTime } from '@slotstream/protocol'
import { NO_SUSPICION, type Suspicion } from '../bots/suspicion.js'
import { emptyStates } from '../features/state/reduce.js'
import type { AboutPerson } from '../identity/about-person.js'
import { traitsOfUser, userOfBrowser } from '../identity/person.js'
import { namesOfSignals } from '../profile/recent-signals.js'

/** A person as decisions see them: all their browsers together. */
export interface DecidedPerson extends AboutPerson {
  /** The user's id; of a browser without a user its own id. */
  id: string
  features: FeatureStates
  /** Names of the segments that the person was last found in. */
  members: readonly string[]
  /** Names of recent signals. */
  signals: readonly string[]
  suspicion: Suspicion
  /** Decisions that showed something to the person, of all browsers. */
  decisions: readonly KeptDecision[]
  /** Content that the person is not shown again. */
  stopped: readonly string[]
}

/**
 * Returns what a visitor's own profile says of the person, without features and segments: all that is needed where a
 * slot reads none of them.
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
    signals: profile ? namesOfSignals([profile]) : [],
    suspicion: NO_SUSPICION,
    traits: profile ? traitsOfUser(profile, userOfBrowser(profile)) : {},
    profile: profile ?? seen,
    decisions: profile?.decisions ?? [],
    stopped: profile?.stopped ?? [],
  } as DecidedPerson
}

/** Returns the id alone, as a profile has it. */
function idOfVisitor(visitorId: string): string {
  const { anonymousId, userId } = idsOfVisitor(visitorId)
  return anonymousId || userId
}

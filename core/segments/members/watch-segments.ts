import {
  type EventEnvelope,
  type FeatureStates,
  isPersonKey,
  type Members,
  type Profile,
  type SegmentNews,
} from '@slotstream/protocol'
import { type Suspicion, suspicionOf } from '../../bots/suspicion.js'
import type { Features } from '../../features/feature.js'
import { featureValues } from '../../features/state/values.js'
import { aboutPerson } from '../../identity/about-person.js'
import { guardOfUser, joinedBrowsers, usersToTell } from '../../identity/links.js'
import { statesOfUser, userOfBrowser } from '../../identity/person.js'
import { namesOfSignals } from '../../profile/recent-signals.js'
import { timeOf } from '../../profile/sessions.js'
import type { CompiledSegments } from '../compile-segments.js'
import { personAttributes } from '../person-attributes.js'
import {
  changeMembers,
  type MemberChange,
  type MembersStep,
  namesOfMembers,
  nextMembers,
  withoutMembers,
} from './members.js'
import type { SegmentCause } from './segment-signal.js'

/** News of a browser that the partition of a user has to be told. */
export interface UserNews {
  userId: string
  news: SegmentNews
}

/** The segments of a visitor while the messages of an envelope are applied. */
export interface SegmentWatch {
  /** Looks at the visitor after a message of a session. What the features hold so far is part of `now`. */
  look(now: Profile, cause: { messageId: string; sessionId: string }): void
  /** Looks once more where no message was applied, and puts the segments into the profile. */
  finish(after: Profile): UserNews[]
}

export interface SegmentRules {
  segments: CompiledSegments
  features: Features
  /** True if visitors who seem to be programs may be in segments. Default: false */
  includesBots?: boolean
}

/** Takes a segment that the person entered or left. */
export type OnSegment = (change: MemberChange, cause: SegmentCause, person: Profile) => void

/**
 * Begins to watch the segments of a visitor. Where the visitor is all there is of a person, they are decided here, by
 * the time of receipt. Of a user with browsers they are decided where the user's profile is, which hears of each
 * browser that has something new.
 */
export function watchSegments(
  before: Profile | undefined,
  { segments, features, includesBots = false }: SegmentRules,
  envelope: EventEnvelope,
  onSegment: OnSegment,
): SegmentWatch {
  const at = timeOf(envelope.receivedAt)
  const defined = new Set(segments.segments.map(({ name }) => name))
  let members: Members = (before?.members ?? []).filter(([name]) => defined.has(name))
  let carried: SegmentNews['carried']
  let lastMessage: string | undefined

  function take(step: MembersStep, cause: SegmentCause, now: Profile): void {
    members = step.members
    const person = isPersonKey(now.visitorId) ? { ...now, anonymousId: '' } : { ...now, userId: '' }
    for (const change of step.changes) onSegment(change, cause, person)
  }

  function evaluate(now: Profile, cause: SegmentCause): void {
    const userId = isPersonKey(now.visitorId) ? now.userId : ''
    const states = statesOfUser(now, userId, features)
    const suspicion = suspicionOf(states, features)
    const isLeftOut = !includesBots && suspicion.isBot
    take(isLeftOut ? withoutMembers(members, at) : next(now, userId, states, suspicion), cause, now)
  }

  function next(now: Profile, userId: string, states: FeatureStates, suspicion: Suspicion): MembersStep {
    const values = featureValues(states, features, at, segments.features)
    const about = { ...aboutPerson(userId, [now]), signals: namesOfSignals([now], [userId]), suspicion }
    return nextMembers(segments, members, personAttributes(about, values, at), at)
  }

  function decide(now: Profile, cause: SegmentCause): void {
    if (Number.isNaN(at)) return
    if (isWholePerson(now)) evaluate(now, cause)
    else if (!isPersonKey(now.visitorId)) handOver(now, cause)
    // Messages of the user's own are looked at with those of the browsers.
    else if (envelope.segments && cause.messageId === undefined) obey(envelope.segments, now)
  }

  /** Ends the segments of a browser that belongs to a user now. */
  function handOver(now: Profile, cause: SegmentCause): void {
    if (members.length === 0) return
    carried = namesOfMembers(members)
    take(
      changeMembers(members, { entered: [], left: carried, at }),
      { ...cause, identifiedAs: userOfBrowser(now) },
      now,
    )
  }

  /** Takes what the person's owner, or a browser of the person, says. One that is held back has nothing to carry. */
  function obey({ messageId, anonymousId, entered = [], left = [], carried = [] }: SegmentNews, now: Profile): void {
    const existing = (names: string[]) => names.filter(name => defined.has(name))
    take(changeMembers(members, { entered: existing(entered), left, at }), { messageId }, now)
    if (carried.length === 0 || guardOfUser(now.userId, now.links ?? {})(anonymousId)) return
    take(changeMembers(members, { entered: existing(carried), left: [], at }), { messageId, from: anonymousId }, now)
  }

  return {
    look(now, cause) {
      lastMessage = cause.messageId
      decide(now, cause)
    },
    finish(after) {
      if (lastMessage === undefined || envelope.identity) decide(after, {})
      if (members.length > 0) after.members = members
      else delete after.members
      return newsOf(after)
    },
  }

  function newsOf(after: Profile): UserNews[] {
    const { visitorId, anonymousId, links, recentSignals } = after
    const isNew = lastMessage !== undefined || carried || recentSignals !== before?.recentSignals
    if (isPersonKey(visitorId) || !links || Number.isNaN(at) || !isNew) return []
    const current = userOfBrowser(after)
    return usersToTell(links).map(({ userId, isHeld }) => ({
      userId,
      news: {
        anonymousId,
        userId,
        at,
        ...(lastMessage !== undefined && { messageId: lastMessage }),
        ...(carried && userId === current && { carried }),
        ...(isHeld && { isHeld }),
      },
    }))
  }
}

/** Returns whether a visitor is all there is of a person: a browser without a user, or a user without browsers. */
export function isWholePerson(profile: Profile): boolean {
  const { visitorId, userId, links } = profile
  if (!isPersonKey(visitorId)) return userOfBrowser(profile) === ''
  return links === undefined || joinedBrowsers(userId, links).length === 0
}

import {
  type EventEnvelope,
  hash32,
  type IdentityChange,
  isoTime,
  isPersonKey,
  type Profile,
  type RejectedMessage,
  SENDERS,
  type Sender,
  type SignalRecord,
  type StoredMessage,
  senderOf,
} from '@slotstream/protocol'
import { DEFAULT_FEATURES } from '../features/compile.js'
import type { Features } from '../features/feature.js'
import { applyChanges, collectUsers } from '../identity/name-users.js'
import { detect, type Found } from '../signals/detect.js'
import type { HashText } from '../signals/signal-id.js'
import { signalRecord } from '../signals/signal-record.js'
import { addInterests } from './affinities.js'
import { ANONYMOUS_PROFILE_DAYS, hasEnded } from './anonymous-profiles.js'
import { countFeatures } from './count-features.js'
import { interestsOf } from './interests.js'
import { sessionAfter, sessionIdOf, timeOf } from './sessions.js'
import { refusedTraits, traitsAfter } from './traits.js'

/**
 * How many message ids a profile remembers at least, to know a message that is sent a second time long after the
 * first. All ids of the latest stream message are remembered, however many: a browser sends a batch again before any
 * other.
 */
export const REMEMBERED_MESSAGES = 64

/** Messages whose ids are looked up by going through those that are known: for so few, making a set takes longer. */
const FEW = 100

export interface ApplyOutcome {
  profile: Profile | undefined
  /** Signals detected, message by message. */
  signals: SignalRecord[]
  /**
   * Messages whose traits the profile did not take, because it would have become too large; absent when there are none.
   */
  refused?: RejectedMessage[]
  /** Users that the browser named first, or earlier than known: their partitions have to be told. Absent: none. */
  identity?: IdentityChange[]
}

/** The profile after a stream message: see `applyAndDetect`. */
export function applyEnvelope(
  profile: Profile | undefined,
  envelope: EventEnvelope,
  seq: number,
  anonymousDays?: number,
  features?: Features,
): Profile | undefined {
  return reduce(profile, envelope, seq, { anonymousDays, features }, () => {}).profile
}

/**
 * The profile after a stream message, and the signals that were detected in it. Pure, and the same for every replay:
 * applying the stream from its beginning, or from any earlier stored state, gives the same.
 *
 * Gives back `profile` itself when it has seen the message already, and when its sender is no visitor, or claims to be
 * a person without proof. Throws when the
 * message has no usable time; the profile is then as it was.
 *
 * @param seq stream sequence of the message
 * @param hash makes the ids of signals
 * @param anonymousDays days after which the profile of a single anonymous visit has ended, 0 for never: see `hasEnded`
 * @param features of the site. Default: those that every site has
 */
export function applyAndDetect(
  profile: Profile | undefined,
  envelope: EventEnvelope,
  seq: number,
  hash: HashText,
  anonymousDays?: number,
  features?: Features,
): ApplyOutcome {
  const signals: SignalRecord[] = []
  const applied = reduce(profile, envelope, seq, { anonymousDays, features }, (found, message, after) =>
    signals.push(signalRecord(found, message, after, envelope, hash)),
  )
  return { ...applied, signals }
}

/** Applies the messages of an envelope that the profile has not seen: see `applyAndDetect`. */
function reduce(
  profile: Profile | undefined,
  envelope: EventEnvelope,
  seq: number,
  rules: { anonymousDays: number | undefined; features: Features | undefined },
  onFound: (found: Found, message: StoredMessage, after: Profile) => void,
): Omit<ApplyOutcome, 'signals'> {
  const { anonymousDays = ANONYMOUS_PROFILE_DAYS, features = DEFAULT_FEATURES } = rules
  const sender = senderOf(envelope.sender)
  const isClaim = sender === 'unsigned' && isPersonKey(envelope.visitorId)
  const refused: RejectedMessage[] = []
  if (envelope.spread || isClaim || (profile && seq <= profile.seq)) return { profile }
  const begun = profile && hasEnded(profile, timeOf(envelope.receivedAt), anonymousDays) ? undefined : profile
  const known = begun ? begun.recent.slice() : []
  const set = envelope.messages.length > FEW ? new Set(known) : undefined
  let next = begun ?? profileOfChange(envelope)
  const counting = countFeatures(begun, features)
  const users = collectUsers(envelope.visitorId)
  for (const message of envelope.messages) {
    const hash = rememberedId(message.messageId, sender)
    if (set ? set.has(hash) : known.includes(hash)) continue
    set?.add(hash)
    known.push(hash)
    const after = applyMessage(next, message, envelope, () => refused.push(refusedTraits(message)))
    const { memory, found } = detect(next, message, after)
    const at = timeOf(message.timestamp)
    for (const one of found) onFound(one, message, after)
    if (found.length > 0) after.recentSignals = latestSignals(after.recentSignals, found, at)
    after.signalMemory = memory
    counting.add(message, at, sender === 'unsigned' ? '' : userOf(message, envelope))
    if (sender !== 'unsigned') users.note(message, at)
    next = after
  }
  const remembered = Math.max(REMEMBERED_MESSAGES, envelope.messages.length)
  if (!next) return { profile: undefined }
  // Not the profile that was given, even when no message was new.
  const after = { ...next }
  after.seq = seq
  after.recent = known.slice(-remembered)
  counting.finish(after)
  const { links, changes } = users.finish(begun?.links)
  if (links) after.links = links
  if (envelope.identity) after.links = applyChanges(links, envelope.visitorId, envelope.identity)
  const lastReceived = latest(begun?.lastReceived, envelope.receivedAt)
  if (lastReceived) after.lastReceived = lastReceived
  return {
    profile: after,
    ...(refused.length > 0 && { refused }),
    ...(changes.length > 0 && { identity: changes }),
  }
}

/** Signals that a profile remembers by name, and for how long, in milliseconds. */
const REMEMBERED_SIGNALS = 20
const SIGNALS_MS = 30 * 24 * 3_600_000

/** Returns the latest signals, one of each name, with those found in a message of time `at`. */
function latestSignals(before: Profile['recentSignals'] = [], found: readonly Found[], at: number) {
  const times = new Map(before)
  for (const { signal } of found) times.set(signal, Math.max(at, times.get(signal) ?? 0))
  const latest = [...times].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
  return latest.filter(([, time]) => time > latest[0]![1] - SIGNALS_MS).slice(0, REMEMBERED_SIGNALS)
}

/** Returns a browser's user whom a message names; '' for none, and for visitors that are users themselves. */
function userOf({ userId }: StoredMessage, { visitorId }: EventEnvelope): string {
  return isPersonKey(visitorId) ? '' : (userId ?? '')
}

/** Makes a profile where another partition tells of a visitor of whom no message came yet. */
function profileOfChange({ siteId, visitorId, identity }: EventEnvelope): Profile | undefined {
  const change = identity?.[0]
  return change && profileOfLink(siteId, visitorId, change)
}

/** Makes the profile of a visitor of whom nothing is known but a link. */
export function profileOfLink(siteId: string, visitorId: string, change: IdentityChange): Profile {
  const { userId, anonymousId, link, decision } = change
  const profile = newProfile(siteId, visitorId, isoTime(link?.firstAt ?? decision?.at ?? 0))
  return isPersonKey(visitorId) ? { ...profile, userId } : { ...profile, anonymousId }
}

/**
 * A message's id as profiles remember it: a hash, above 32 bits the kind of sender. Ids of two kinds are never equal,
 * even where a client makes one whose hash is that of another.
 */
function rememberedId(messageId: string, sender: Sender): number {
  return SENDERS.indexOf(sender) * 2 ** 32 + hash32(messageId)
}

/**
 * The profile after one message, however often it is asked for: it doesn't look at `seq` and `recent`.
 *
 * @param onRefused is called when the message's traits would make the profile too large, and are left out
 */
export function applyMessage(
  before: Profile | undefined,
  message: StoredMessage,
  { siteId, visitorId, sender }: Pick<EventEnvelope, 'siteId' | 'visitorId' | 'sender'>,
  onRefused: () => void = () => {},
): Profile {
  const at = timeOf(message.timestamp)
  if (Number.isNaN(at)) throw new Error('the message has no usable timestamp')
  const time = isoTime(at)
  const profile = before ?? newProfile(siteId, visitorId, time)
  // Late messages add what is missing; they don't put the past over the present.
  const late = time < profile.lastSeen
  const earliest = time < profile.firstSeen
  const session = sessionAfter(profile.session, at, sessionIdOf(message), `${siteId}\0${visitorId}`)
  // Assigned after the copy: in one literal with it, the engine takes several times as long.
  const next: Profile = { ...profile }
  next.anonymousId = profile.anonymousId || (message.anonymousId ?? '')
  const userId = sender === 'unsigned' ? '' : message.userId
  next.userId = (late && profile.userId) || userId || profile.userId
  if (earliest) next.firstSeen = time
  if (!late) next.lastSeen = time
  if (session.id !== profile.session?.id) next.sessions = profile.sessions + 1
  next.session = session
  next.events = profile.events + 1
  const traits = traitsAfter(profile.traits, message, late)
  if (traits) next.traits = traits
  else onRefused()
  const interests = interestsOf(message)
  if (interests.length > 0) {
    const added = addInterests({ values: profile.affinities, at: timeOf(profile.affinitiesAt) }, interests, at)
    next.affinities = added.values
    next.affinitiesAt = isoTime(added.at)
  }
  return next
}

/** The later of two times; what is no time is none. */
function latest(before = '', receivedAt: string): string {
  const at = timeOf(receivedAt)
  const time = Number.isNaN(at) ? '' : isoTime(at)
  return before > time ? before : time
}

function newProfile(siteId: string, visitorId: string, time: string): Profile {
  return {
    siteId,
    visitorId,
    anonymousId: '',
    userId: '',
    firstSeen: time,
    lastSeen: time,
    sessions: 0,
    session: null,
    events: 0,
    affinities: {},
    affinitiesAt: time,
    traits: {},
    segments: [],
    seq: 0,
    recent: [],
    signalMemory: {},
  }
}

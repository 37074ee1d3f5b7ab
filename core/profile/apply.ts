import {
  type ContentAmounts,
  type EventEnvelope,
  hash32,
  type IdentityChange,
  isPersonKey,
  type Profile,
  type RejectedMessage,
  SENDERS,
  type Sender,
  type SignalRecord,
  type StoredMessage,
  senderOf,
} from '@slotstream/protocol'
import { countContents } from '../features/content/count-contents.js'
import { DEFAULT_FEATURES } from '../features/default-features.js'
import { applyChanges, collectUsers } from '../identity/name-users.js'
import type { Telling } from '../identity/told-messages.js'
import { verdictsOf } from '../identity/verdicts.js'
import { isLikeBot } from '../ledger/is-like-bot.js'
import { keepLedger, type LedgerOutcome } from '../ledger/ledger.js'
import { DEFAULT_PATTERNS } from '../patterns/default-patterns.js'
import { segmentSignal } from '../segments/members/segment-signal.js'
import { type UserNews, watchSegments } from '../segments/members/watch-segments.js'
import type { ProfileBefore } from '../signals/detector.js'
import type { HashText } from '../signals/signal-id.js'
import { signalRecord } from '../signals/signal-record.js'
import { ANONYMOUS_PROFILE_DAYS, hasEnded, lastReceivedAfter } from './anonymous-profiles.js'
import { profileOfTold, readMessage, takeMessage, withIds } from './apply-message.js'
import type { ApplyRules } from './apply-rules.js'
import { countFeatures } from './features/count-features.js'
import { type Listeners, lookForSignals, noteMatches } from './look-for-signals.js'
import { patternSignal } from './pattern-signal.js'
import { searchPatterns } from './search-patterns.js'
import { timeOf } from './sessions.js'
import { refusedTraits } from './traits/traits.js'

/**
 * Minimum number of message ids that a profile remembers, to recognise a message that is sent a second time long after
 * the first. All ids of the latest stream message are remembered, however many: a browser sends a batch again before
 * any other.
 */
export const REMEMBERED_MESSAGES = 64

/** Messages whose ids are looked up by going through those that are known: for so few, making a set takes longer. */
const FEW = 100

export interface ApplyOutcome extends LedgerOutcome {
  profile: Profile | undefined
  /** Signals detected, message by message. */
  signals: SignalRecord[]
  /**
   * Messages whose traits the profile did not take, because it would have become too large; absent when there are none.
   */
  refused?: RejectedMessage[]
  /**
   * Users that the browser named first, or earlier than known, and what aliases say: both sides have to be told. Of a
   * user also which browsers its guard holds back, or lets go: those have to be told.
   */
  identity?: IdentityChange[]
  /** News for the partitions of users because of their segments. Absent: none. */
  userNews?: UserNews[]
  /** Messages that the person's other visitors have to be told. Absent: none. */
  tellings?: Telling[]
  /** Amounts that the messages add to the features of content. Absent: none. */
  contents?: ContentAmounts[]
  /** The features were narrowed, or narrowed further, so that they stay within their bytes. */
  narrowed?: true
}

/** Returns the profile after a stream message: see `applyAndDetect`. */
export function applyEnvelope(
  profile: Profile | undefined,
  envelope: EventEnvelope,
  seq: number,
  rules?: ApplyRules,
): Profile | undefined {
  return reduce(profile, envelope, seq, rules, IGNORE).profile
}

/** Returns the profile after a stream message, and the amounts that it adds to the features of content. */
export function applyToHistory(
  profile: Profile | undefined,
  envelope: EventEnvelope,
  seq: number,
  rules: ApplyRules,
): Pick<ApplyOutcome, 'profile' | 'contents'> {
  return reduce(profile, envelope, seq, { ...rules, onlyFeatures: true }, IGNORE)
}

/**
 * Returns the profile after a stream message, and the signals that were detected in it. Pure, and the same for every
 * replay: applying the stream from its beginning, or from any earlier stored state, gives the same.
 *
 * Gives back `profile` itself when it has seen the message already, and when its sender is no visitor, or claims to be
 * a person without proof. Throws when the message has no usable time; the profile is then as it was.
 *
 * @param seq stream sequence of the message
 * @param hash makes the ids of signals
 */
export function applyAndDetect(
  profile: Profile | undefined,
  envelope: EventEnvelope,
  seq: number,
  hash: HashText,
  rules?: ApplyRules,
): ApplyOutcome {
  const signals: SignalRecord[] = []
  const applied = reduce(profile, envelope, seq, rules, {
    onFound: (detected, message, after) => signals.push(signalRecord(detected, message, after, envelope, hash)),
    onMatch: (match, after) => signals.push(patternSignal(match, after, envelope, hash)),
    onSegment: (change, cause, person) => signals.push(segmentSignal(change, cause, person, envelope, hash)),
  })
  return { ...applied, signals }
}

const IGNORE: Listeners = { onFound: () => {}, onMatch: () => {}, onSegment: () => {} }

/** Applies the messages of an envelope that the profile has not seen: see `applyAndDetect`. */
function reduce(
  profile: Profile | undefined,
  envelope: EventEnvelope,
  seq: number,
  rules: ApplyRules = {},
  listeners: Listeners,
): Omit<ApplyOutcome, 'signals'> {
  const { anonymousDays = ANONYMOUS_PROFILE_DAYS, features = DEFAULT_FEATURES, patterns = DEFAULT_PATTERNS } = rules
  const { onlyFeatures = false } = rules
  const sender = senderOf(envelope.sender)
  const isClaim = sender === 'unsigned' && isPersonKey(envelope.visitorId)
  const refused: RejectedMessage[] = []
  if (envelope.spread || isClaim || (profile && seq <= profile.seq)) return { profile }
  const begun = profile && hasEnded(profile, timeOf(envelope.receivedAt), anonymousDays) ? undefined : profile
  const recent = begun ? begun.recent.slice() : []
  const set = envelope.messages.length > FEW ? new Set(recent) : undefined
  // A copy even where no message is new: the profile that was given stays as it is.
  let next = begun ? withIds({ ...begun }) : profileOfTold(envelope)
  const counting = countFeatures(begun, features)
  const search = searchPatterns(begun, patterns, envelope)
  const users = collectUsers(envelope.visitorId)
  const ledger = onlyFeatures ? undefined : keepLedger(begun, envelope, rules)
  const contents = countContents(features)
  const watch = rules.segments?.segments.length
    ? watchSegments(begun, { ...rules, segments: rules.segments, features }, envelope, listeners.onSegment)
    : undefined
  for (const message of envelope.messages) {
    const hash = rememberedId(message.messageId, sender)
    if (set ? set.has(hash) : recent.includes(hash)) continue
    set?.add(hash)
    recent.push(hash)
    const read = readMessage(onlyFeatures ? withoutContent(message) : message, features)
    const { at, interests } = read
    const before = next && beforeMessage(next)
    const after = takeMessage(next, read, envelope, () => refused.push(refusedTraits(message)))
    const userId = sender === 'unsigned' ? '' : (message.userId ?? '')
    if (sender !== 'unsigned') users.note(message, at)
    const linksNow = () => users.finish(begun?.links).links
    const seenNow = { before, message, at, after, interests }
    const whose = { userId, links: linksNow, patterns }
    const sessionId = onlyFeatures ? '' : lookForSignals(seenNow, whose, search, listeners)
    ledger?.look(message, at)
    contents.add(message, at)
    counting.add(message, at, isPersonKey(envelope.visitorId) ? '' : userId)
    if (watch) {
      const links = linksNow()
      const { messageId } = message
      watch.look({ ...after, ...counting.soFar(), ...(links && { links }) }, { messageId, sessionId })
    }
    next = after
  }

  const remembered = Math.max(REMEMBERED_MESSAGES, envelope.messages.length)
  if (!next) return { profile: undefined }
  const after = next
  after.seq = seq
  after.recent = recent.slice(-remembered)
  const isNarrowed = counting.finish(after)
  const { links, changes } = users.finish(begun?.links)
  if (!onlyFeatures)
    noteMatches(search.lookElsewhere(), after, { userId: '', links: () => links, patterns }, listeners.onMatch)
  if (links) after.links = links
  if (envelope.identity) after.links = applyChanges(links, envelope.visitorId, envelope.identity)
  const tellings = search.finish(after)
  const identity = onlyFeatures ? changes : [...changes, ...verdictsOf(begun?.links, after.links, envelope, seq)]
  const userNews = watch?.finish(after) ?? []
  const isLeftOut = () => !rules.includesBots && isLikeBot(after, features)
  const ofLedger = ledger?.finish(after, isLeftOut)
  const amounts = contents.amounts()
  // Segments that a site no longer has.
  if (!watch) delete after.members
  const lastReceived = lastReceivedAfter(begun, envelope)
  if (lastReceived) after.lastReceived = lastReceived
  return {
    profile: after,
    ...(refused.length > 0 && { refused }),
    ...(identity.length > 0 && { identity }),
    ...(userNews.length > 0 && { userNews }),
    ...(tellings.length > 0 && { tellings }),
    ...(isNarrowed && { narrowed: true }),
    ...ofLedger,
    ...(amounts.length > 0 && !isLeftOut() && { contents: amounts }),
  }
}

/** Returns the fields by which it is seen what a message changed. */
function beforeMessage({ affinities, session, signalMemory }: Profile): ProfileBefore {
  return { affinities, session, signalMemory }
}

/** Returns a message without what nothing but traits and affinities is made of. */
function withoutContent({ properties: _properties, traits: _traits, ...message }: StoredMessage): StoredMessage {
  return message
}

/**
 * Returns a message's id as profiles remember it: a hash, above 32 bits the kind of sender. Ids of two kinds are never
 * equal, even where a client makes one whose hash is that of another.
 */
function rememberedId(messageId: string, sender: Sender): number {
  return SENDERS.indexOf(sender) * 2 ** 32 + hash32(messageId)
}

import {
  type EventEnvelope,
  hash32,
  isPersonKey,
  joined,
  type Links,
  type Profile,
  SENDERS,
  type Sender,
  type StoredMessage,
  senderOf,
  visitorIdOf,
} from '@slotstream/protocol'
import { isOfOne, ownerOf } from '../identity/owners.js'
import { believed, linksAfterTold, type Telling, tellingsOf } from '../identity/told-messages.js'
import { MAX_HEARD } from '../patterns/bounds.js'
import type { CompiledPatterns, Match } from '../patterns/compiled.js'
import { beginSteps, type PatternScope, type PatternSteps } from '../patterns/step.js'
import { idWithSender } from './pattern-signal.js'
import { timeOf } from './sessions.js'

/** The patterns of a profile while the messages of an envelope are looked at. */
export interface PatternSearch {
  /**
   * Lets the patterns look at a message of time `at`, in milliseconds since the epoch, and of a session.
   *
   * @param links returns the visitor's links after the message
   */
  look(message: StoredMessage, at: number, sessionId: string, links: () => Links | undefined): Match[]
  /**
   * Lets them look at what is told of the person's other visitors, and ends the absences that are over at the time of
   * the envelope's timer.
   */
  lookElsewhere(): Match[]
  /**
   * Puts what the patterns remember now into the profile, whose links are as they are after the envelope. Returns what
   * the person's other visitors have to be told.
   */
  finish(after: Profile): Telling[]
}

/**
 * Begins to look for patterns in the messages of an envelope. What a message of another visitor completes or begins is
 * found here as well, but reported by that visitor alone.
 */
export function searchPatterns(
  before: Profile | undefined,
  patterns: CompiledPatterns,
  envelope: EventEnvelope,
): PatternSearch {
  const sender = senderOf(envelope.sender)
  const ofInterest: StoredMessage[] = []
  let steps: PatternSteps | undefined
  let heard = before?.heard

  /** Returns the steps. Until there is one, states stay as they are, also those of other definitions. */
  function begun(): PatternSteps {
    steps ??= beginSteps(patterns, before?.patterns)
    return steps
  }

  /** Leaves out what other visitors report. */
  function withoutTold(matches: Match[]): Match[] {
    return matches.some(({ isTold }) => isTold) ? matches.filter(({ isTold }) => !isTold) : matches
  }

  /** Returns the user whose messages on the browser are looked at apart; undefined where it is the first one. */
  function apart(links: Links | undefined, userId: string): string | undefined {
    const owner = ownerOf(links, userId)
    return owner.isApart ? owner.userId : undefined
  }

  function step(message: StoredMessage, scope: Pick<PatternScope, 'at' | 'sessionId' | 'user' | 'isTold'>): Match[] {
    const messageId = idWithSender(sender, message.messageId)
    const seen = messageId === message.messageId ? message : { ...message, messageId }
    const { found: matches, isOfInterest } = begun().look(seen, scope)
    if (isOfInterest) ofInterest.push(message)
    return withoutTold(matches)
  }

  function lookAtTold(): Match[] {
    if (!before || !envelope.hearsay) return []
    const matches: Match[] = []
    const all = new Set(before.heard)
    const isOne = isPersonKey(envelope.visitorId) || isOfOne(before.links, envelope.hearsay.userId)
    const user = isOne ? undefined : apart(before.links, envelope.hearsay.userId)
    for (const message of believed(before, envelope.hearsay)) {
      const id = heardId(message, sender)
      if (all.has(id)) continue
      all.add(id)
      matches.push(...step(message, { at: timeOf(message.timestamp), user, isTold: true }))
    }
    // All of an envelope at least: it may be repeated as a whole.
    const remembered = Math.max(MAX_HEARD, envelope.hearsay.messages.length)
    if (all.size > (heard?.length ?? 0)) heard = [...all].slice(-remembered)
    return matches
  }

  let named = ''

  /** Returns whether a user is the only one whom the envelope's messages name so far. */
  function isNamedAlone(userId: string): boolean {
    if (named === '') named = userId
    return named === userId
  }

  return {
    look(message, at, sessionId, links) {
      const userId = sender === 'unsigned' ? '' : (message.userId ?? '')
      const isOne = isPersonKey(envelope.visitorId) || isOfOne(before?.links, userId)
      // Two messages of one envelope may be the first of two users.
      const isFirst = isOne && (userId === '' || isNamedAlone(userId))
      return step(message, { at, sessionId, user: isFirst ? undefined : apart(links(), userId) })
    },
    lookElsewhere() {
      const matches = lookAtTold()
      return envelope.timer ? [...matches, ...withoutTold(begun().fire(envelope.timer.at))] : matches
    },
    finish(after) {
      const states = steps ? steps.states() : before?.patterns
      if (states) after.patterns = states
      else delete after.patterns
      const isHeardNew = heard !== before?.heard
      if (isHeardNew) after.heard = heard!
      const isUser = isPersonKey(after.visitorId)
      const links = isHeardNew && isUser ? linksAfterTold(after.links, envelope.hearsay!.messages) : after.links
      if (links) after.links = links
      // A browser that is told passes nothing on, so that no message goes round.
      return envelope.hearsay && !isUser ? [] : tellingsOf(after, ofInterest, sender)
    },
  }
}

/** Returns the id by which a message is recognised that is told again. Two visitors may give one id to two messages. */
function heardId(message: StoredMessage, sender: Sender): number {
  return hash32(joined([visitorIdOf(message), message.messageId])) + SENDERS.indexOf(sender) * 2 ** 32
}

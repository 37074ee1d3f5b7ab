import type { PatternStates, Profile, Sender, StoredMessage } from '@slotstream/protocol'
import type { CompiledPatterns, Match } from '../patterns/compiled.js'
import { firePatterns, type PatternOutcome, stepPatterns } from '../patterns/step.js'
import { idWithSender } from './pattern-signal.js'

/** The patterns of a profile while the messages of an envelope are looked at. */
export interface PatternSearch {
  /** Lets the patterns look at a message of time `at`, in milliseconds since the epoch, and of a session. */
  look(message: StoredMessage, at: number, sessionId: string): Match[]
  /** Ends the absences that are over at `now`, in milliseconds since the epoch. */
  fire(now: number): Match[]
  /** Puts what the patterns remember now into the profile. */
  finish(after: Profile): void
}

/** Begins to look for patterns in messages of one kind of sender. */
export function searchPatterns(
  before: PatternStates | undefined,
  patterns: CompiledPatterns,
  sender: Sender,
): PatternSearch {
  let states = before

  function take({ state, found: matches }: PatternOutcome): Match[] {
    states = state
    return matches
  }

  return {
    look(message, at, sessionId) {
      const messageId = idWithSender(sender, message.messageId)
      const seen = messageId === message.messageId ? message : { ...message, messageId }
      return take(stepPatterns(patterns, states, seen, { sessionId, at }))
    },
    fire: now => take(firePatterns(patterns, states, now)),
    finish(after) {
      if (states) after.patterns = states
      else delete after.patterns
    },
  }
}

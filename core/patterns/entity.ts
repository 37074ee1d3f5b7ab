import type { PatternDefinition, PatternEntity, PatternEvent } from '@slotstream/protocol'
import { ANY_EVENT } from '../conditions/event-name.js'

/** Lists the messages that a pattern looks for. */
export function eventsOf(definition: PatternDefinition): PatternEvent[] {
  if (!('sequence' in definition)) return [definition]
  return definition.sequence.flatMap(step => ('not' in step ? step.not : step))
}

/**
 * Returns whose messages belong together to a pattern. One that looks at any message would have every message of a user
 * told to all of the user's browsers, so it says so itself where that is wanted.
 */
export function entityOf(definition: PatternDefinition): PatternEntity {
  const looksAtAny = eventsOf(definition).some(({ event }) => event === ANY_EVENT)
  return definition.entity ?? (looksAtAny ? 'visitor' : 'person')
}

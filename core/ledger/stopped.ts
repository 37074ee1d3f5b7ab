import { hash32, type KeptDecision, type StoredMessage } from '@slotstream/protocol'
import { eventNameOf } from '../conditions/event-name.js'
import { isAfter } from './times.js'

/** Content that a profile keeps as not to be shown again: beyond that, that of the smallest hashes. */
export const MAX_STOPPED = 100

/** Returns the content that the visitor is not shown again, in the order of hashes, after a message. */
export function withStopped(
  stopped: readonly string[],
  decisions: readonly KeptDecision[],
  message: StoredMessage,
  at: number,
): readonly string[] {
  const event = eventNameOf(message)
  const all = new Set(stopped)
  for (const decision of decisions)
    for (const { stopAfter, contentId } of decision.items)
      if (stopAfter !== undefined && stopAfter === event && isAfter(decision, at)) all.add(contentId)
  if (all.size === stopped.length) return stopped
  return [...all].sort((a, b) => hash32(a) - hash32(b) || (a < b ? -1 : 1)).slice(0, MAX_STOPPED)
}

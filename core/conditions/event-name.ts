import type { Message } from '@slotstream/protocol'

/** Event of definitions that mean any message. */
export const ANY_EVENT = '*'

/**
 * Returns the name by which definitions mean a message: the event of a track message; of others their type, such as
 * `page` or `identify`.
 */
export function eventNameOf({ type, event = '' }: Pick<Message, 'type' | 'event'>): string {
  return type === 'track' ? event : type
}

/** Returns whether the event of a definition names a message. */
export function isOfEvent(message: Pick<Message, 'type' | 'event'>, event: string): boolean {
  return event === ANY_EVENT || event === eventNameOf(message)
}

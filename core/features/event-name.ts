import type { StoredMessage } from '@slotstream/protocol'

/** Name that stands for every event. */
export const ANY_EVENT = '*'

/** Returns the name by which definitions know a message: a track message's event; of others the type, such as `page`. */
export function eventNameOf({ type, event }: Pick<StoredMessage, 'type' | 'event'>): string {
  return type === 'track' ? (event ?? '') : type
}

import type { StoredMessage } from '@slotstream/protocol'

/** Name by which patterns look for a message: that of a track message's event, else the type of the message. */
export function eventNameOf({ type, event }: StoredMessage): string {
  return type === 'track' ? (event ?? '') : type
}

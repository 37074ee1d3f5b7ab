import type { ReadMessage } from '../thread/messages.js'

/** Age of the counts of content, from which features of content are computed. */
export interface ContentAge {
  /** Notes that a snapshot was loaded. @param at when it was written, in milliseconds since the epoch */
  loaded(at: number): void
  /** Notes that all messages that the streams had are read: from now on the streams are followed. */
  caughtUp(): void
  /**
   * Notes that messages are being counted. Returns a function to call when they are counted, with whether content
   * changed.
   */
  counting(messages: readonly ReadMessage[]): (hasChanged: boolean) => void
  /** Notes that changes have arrived in the main thread, and whether these are all. */
  noteChanges(isAll: boolean): void
  /** Returns how long messages may have been missing from the counts, in milliseconds; 0: none is missing. */
  ageMs(): number
}

/**
 * Creates the age before anything was read.
 *
 * @param now returns milliseconds since the epoch. Default: the clock
 */
export function createContentAge(now: () => number = Date.now): ContentAge {
  /** Streams with messages left to read: when the last message that was counted was stored. */
  const behind = new Map<string, number>()
  let isFollowing = false
  let isTold = true
  let inHand = 0
  /** All messages before this time are counted. */
  let countedAt = 0
  /** All messages before this time are in the counts of the main thread. */
  let upToDateAt = 0
  const isBehind = () => !isFollowing || !isTold || inHand > 0 || behind.size > 0

  function noteUpToDate(): void {
    if (!isBehind()) upToDateAt = now()
  }

  return {
    loaded(at) {
      isFollowing = false
      behind.clear()
      inHand = 0
      upToDateAt = at
    },
    caughtUp() {
      isFollowing = true
    },
    counting(messages) {
      noteUpToDate()
      inHand++
      const readAt = now()
      return hasChanged => {
        inHand--
        for (const { stream, pending, storedAt } of messages)
          if (pending > 0) behind.set(stream, storedAt)
          else behind.delete(stream)
        countedAt = Math.max(countedAt, Math.min(readAt, ...behind.values()))
        if (hasChanged) isTold = false
        else if (isTold) upToDateAt = Math.max(upToDateAt, countedAt)
      }
    },
    noteChanges(isAll) {
      isTold = isAll
      if (isAll && isFollowing) upToDateAt = Math.max(upToDateAt, countedAt)
    },
    ageMs: () => (isBehind() ? Math.max(0, now() - upToDateAt) : 0),
  }
}

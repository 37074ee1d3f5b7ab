import type { ReadMessage } from '../thread/messages.js'

/** How old what is known of content is. */
export interface ContentAge {
  /** Notes from when what is loaded is, in milliseconds since the epoch: what came later is still to be read. */
  loaded(at: number): void
  /** Notes that all that the streams had is read: from now on they are followed. */
  caughtUp(): void
  /**
   * Notes that messages are being counted, and returns what notes that they are, and whether content changed by them.
   */
  counting(messages: readonly ReadMessage[]): (hasChanged: boolean) => void
  /** Notes that changes were told, and whether these are all. */
  noteChanges(isAll: boolean): void
  /** Returns for how long decisions may have lacked what the streams had, in milliseconds; 0: nothing. */
  ageMs(): number
}

/**
 * Creates the age of what nothing was read of yet.
 *
 * @param now milliseconds since the epoch. Default: the clock
 */
export function createContentAge(now: () => number = Date.now): ContentAge {
  /** Of streams that have more: when the last message that was counted was stored. */
  const behind = new Map<string, number>()
  let isFollowing = false
  let isTold = true
  let inHand = 0
  /** Everything of before is counted. */
  let countedAt = 0
  /** Everything of before is told. */
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

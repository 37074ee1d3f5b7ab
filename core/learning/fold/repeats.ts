/** Messages of one partition that were learned from: by these, what is published again after a crash is known. */
export interface TakenMessages {
  /** All up to this sequence were told: what comes with a lower one is a repeat. */
  stored: number
  /** Sequences above it that were taken. */
  above: Set<number>
}

/** Returns the state of a partition of which nothing was taken. */
export function noMessages(): TakenMessages {
  return { stored: 0, above: new Set() }
}

/**
 * Takes a message, unless it was taken before.
 *
 * @param seq its sequence
 * @param stored sequence up to which everything was told when it was published
 * @returns whether it is new
 */
export function takeMessage(messages: TakenMessages, seq: number, stored: number): boolean {
  const isNew = seq > messages.stored && !messages.above.has(seq)
  if (isNew) messages.above.add(seq)
  if (stored > messages.stored) {
    messages.stored = stored
    for (const each of messages.above) if (each <= stored) messages.above.delete(each)
  }
  return isNew
}

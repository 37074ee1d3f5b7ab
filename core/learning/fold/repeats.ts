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
export function takeMessage(taken: TakenMessages, seq: number, stored: number): boolean {
  const isNew = seq > taken.stored && !taken.above.has(seq)
  if (isNew) taken.above.add(seq)
  if (stored > taken.stored) {
    taken.stored = stored
    for (const each of taken.above) if (each <= stored) taken.above.delete(each)
  }
  return isNew
}

/** Messages of one partition that were processed, to detect those that are published again after a crash. */
export interface TakenMessages {
  /** All messages up to this sequence were published: one with such a sequence is a repeat. */
  stored: number
  /** Sequences above `stored` that were processed. */
  above: Set<number>
}

/** Returns the state before the first message. */
export function noMessages(): TakenMessages {
  return { stored: 0, above: new Set() }
}

/**
 * Notes a message as processed.
 *
 * @param seq sequence that the publisher gave it
 * @param stored sequence up to which the publisher had published everything
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

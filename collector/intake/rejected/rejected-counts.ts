import type { RejectedMessage, RejectionCode } from '@slotstream/protocol'

/** Creates one row in the place of the rejected messages that are only counted. */
export function restOf(more: Map<RejectionCode, number>): RejectedMessage {
  const count = sum(more)
  return {
    messageId: null,
    code: 'too_many_rejected',
    reason: `${count} more messages of this request were rejected; their number by code is in payload`,
    payload: JSON.stringify({ count, codes: Object.fromEntries(more) }),
  }
}

/** Counts one more of a kind. */
export function countOne<T>(counts: Map<T, number>, key: T): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

/** Adds all counts up. */
export function sum(counts: Map<unknown, number>): number {
  let total = 0
  for (const count of counts.values()) total += count
  return total
}

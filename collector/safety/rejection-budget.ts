/** Rejected messages of a request that are always told and stored in detail. */
export const MAX_DETAILED = 20

/** Bytes of further details: so many, or so many times the request's own bytes. */
const FLOOR_BYTES = 16 * 1024
const TIMES_REQUEST = 2

/** Bytes of a detail besides its texts: names, quotes, commas. */
const FRAME_BYTES = 80

/**
 * Bounds what the rejected messages of one request cost. The first ones are told and stored in detail, and so are
 * further ones as long as that takes at most twice the bytes of the request: messages that are made by accident all
 * fit. The others are counted.
 */
export interface RejectionBudget {
  /**
   * Tells whether there is room for one more.
   *
   * @param isMessage whether it is a message at all, and not a number, say
   * @param bytes of its texts
   */
  takes(isMessage: boolean, bytes: number): boolean
  /** Tells whether one more message that breaks the plan is worth looking for all that is wrong with it. */
  explains(): boolean
}

/** @param requestBytes size of the request's body, unpacked */
export function createRejectionBudget(requestBytes: number): RejectionBudget {
  let detailed = 0
  let explained = 0
  let left = Math.max(FLOOR_BYTES, TIMES_REQUEST * requestBytes)
  return {
    takes(isMessage, bytes) {
      if (++detailed <= MAX_DETAILED) return true
      if (!isMessage) return false
      left -= bytes + FRAME_BYTES
      return left >= 0
    },
    explains: () => ++explained <= MAX_DETAILED,
  }
}

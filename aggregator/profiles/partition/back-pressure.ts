import { setTimeout as pause } from 'node:timers/promises'

/** Pauses after a pass that stored what was there, and after one that could not, in milliseconds. */
const AFTER_PASS_MS = 10
const AFTER_FAILURE_MS = 500

/**
 * Makes the function that says when there is room: undefined while there is, else a promise of it. What waits to be
 * stored is stored at once then, because the next pass may be half a second away.
 *
 * @param isFull whether there is no room now
 * @param store stores what waits; resolves to whether all went well
 * @param isStopped whether nothing is to be waited for any more
 */
export function createRoom(
  isFull: () => boolean,
  store: () => Promise<boolean>,
  isStopped: () => boolean,
): () => Promise<void> | undefined {
  let until: Promise<void> | undefined

  async function untilRoom(): Promise<void> {
    while (!isStopped() && isFull()) await pause((await store()) ? AFTER_PASS_MS : AFTER_FAILURE_MS)
  }

  return () => {
    if (!until && !isFull()) return undefined
    until ??= untilRoom().finally(() => {
      until = undefined
    })
    return until
  }
}

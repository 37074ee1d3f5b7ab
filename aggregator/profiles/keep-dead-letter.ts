import { setTimeout as pause } from 'node:timers/promises'
import type { Log } from '@slotstream/runtime'

const RETRY_MS = 250

/**
 * Keeps a message as a dead letter, again and again until it is stored: its partition doesn't go on without it.
 *
 * @param keep stores the dead letter
 * @throws what `keep` throws, once `signal` is aborted
 */
export async function keepDeadLetter(
  keep: () => Promise<void>,
  seq: number,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    try {
      return await keep()
    } catch (failure) {
      if (signal.aborted) throw failure
      log.warn({ err: failure, seq }, 'keeping a dead letter failed, trying again')
      await pause(RETRY_MS)
    }
  }
}

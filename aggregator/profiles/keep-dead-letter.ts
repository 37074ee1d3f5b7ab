import { type Log, type Pauses, retryForever } from '@slotstream/runtime'

const PAUSES: Pauses = { firstMs: 250, longestMs: 250 }

/**
 * Keeps a message as a dead letter, again and again until it is stored: its partition doesn't go on without it.
 *
 * @param keep stores the dead letter
 * @throws Stopped once `signal` is aborted
 */
export function keepDeadLetter(keep: () => Promise<void>, seq: number, log: Log, signal: AbortSignal): Promise<void> {
  const onFailure = (error: unknown) => log.warn({ err: error, seq }, 'keeping a dead letter failed, trying again')
  return retryForever(keep, signal, onFailure, () => false, PAUSES)
}

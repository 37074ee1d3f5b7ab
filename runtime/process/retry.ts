import { setMaxListeners } from 'node:events'

/** A wait or a retry was told to stop before it came to its end. */
export class Stopped extends Error {
  override name = 'Stopped'
  readonly code = 'stopped'
}

/**
 * Pauses between tries, in milliseconds: doubled from the first up to the longest, shortened by up to a half at random.
 */
export interface Pauses {
  firstMs: number
  longestMs: number
}

const USUAL_PAUSES: Pauses = { firstMs: 50, longestMs: 1_000 }

/**
 * Waits `ms` milliseconds.
 *
 * @throws Stopped at once when `signal` fires
 */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(new Stopped('stopped'))
    // Any number of waits share a signal, and each removes its listener. Node suspects a leak from the eleventh on.
    if (signal) setMaxListeners(0, signal)
    const stop = () => {
      clearTimeout(timer)
      reject(new Stopped('stopped'))
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal?.addEventListener('abort', stop, { once: true })
  })
}

/**
 * Does something again until it succeeds.
 *
 * @param signal ends it; undefined: nothing does
 * @param onFailure is called with each error, and how many there were before it
 * @param fatal tells errors that are thrown instead
 * @param pauses between tries; default: 50 ms, doubled up to a second
 * @throws Stopped when `signal` fires, and what is fatal
 */
export async function retryForever<T>(
  action: () => Promise<T>,
  signal: AbortSignal | undefined,
  onFailure: (error: unknown, attempt: number) => void,
  fatal: (error: unknown) => boolean = () => false,
  { firstMs, longestMs }: Pauses = USUAL_PAUSES,
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    if (signal?.aborted) throw new Stopped('stopped')
    try {
      return await action()
    } catch (error) {
      if (error instanceof Stopped || fatal(error)) throw error
      onFailure(error, attempt)
      await pause(Math.min(longestMs, firstMs * 2 ** Math.min(attempt, 10)) * (0.5 + Math.random() / 2), signal)
    }
  }
}

/** Pause of `retryUntilAborted` after a failure, in milliseconds. */
const RETRY_MS = 250

/**
 * Does something again until it succeeds, and at least once, also after `signal` has fired: for work that is of use
 * although its process is ending.
 *
 * @param onFailure is called with each error that is followed by another try
 * @throws what `action` throws, once `signal` has fired
 */
export async function retryUntilAborted<T>(
  action: () => Promise<T>,
  signal: AbortSignal,
  onFailure: (error: unknown) => void,
): Promise<T> {
  for (;;) {
    try {
      return await action()
    } catch (error) {
      if (signal.aborted) throw error
      onFailure(error)
      await pause(RETRY_MS)
    }
  }
}

/**
 * Does something again and again until `signal` fires, one time after the other. Resolves when the last one has ended.
 *
 * @param everyMs pause between two, in milliseconds, unless `action` resolves to another number
 * @param onFailure is called with each error, unless `signal` has fired; the next time comes all the same
 */
export async function repeat(
  action: () => Promise<unknown>,
  everyMs: number,
  signal: AbortSignal,
  onFailure: (error: unknown) => void,
): Promise<void> {
  while (!signal.aborted) {
    let wait = everyMs
    try {
      const nextMs = await action()
      if (typeof nextMs === 'number') wait = nextMs
    } catch (error) {
      if (!signal.aborted) onFailure(error)
    }
    await pause(wait, signal).catch(() => {})
  }
}

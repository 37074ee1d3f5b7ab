/** The loader was told to stop while it waited for something that doesn't come. */
export class Stopped extends Error {
  override name = 'Stopped'
  readonly code = 'stopped'
}

/** First pause after a failure, doubled up to the longest; milliseconds. */
const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 1_000

/** Waits, unless `signal` fires first: then throws Stopped. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(new Stopped('stopped'))
    const stop = () => {
      clearTimeout(timer)
      reject(new Stopped('stopped'))
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal.addEventListener('abort', stop, { once: true })
  })
}

/**
 * Does something again until it succeeds, with growing, jittered pauses of up to a second. Errors for which `fatal`
 * holds pass through.
 */
export async function persistently<T>(
  action: () => Promise<T>,
  signal: AbortSignal,
  onFailure: (error: unknown, attempt: number) => void,
  fatal: (error: unknown) => boolean = () => false,
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    if (signal.aborted) throw new Stopped('stopped')
    try {
      return await action()
    } catch (error) {
      if (error instanceof Stopped || fatal(error)) throw error
      onFailure(error, attempt)
      await pause(
        Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(attempt, 10)) * (0.5 + Math.random() / 2),
        signal,
      )
    }
  }
}

import type { Log } from './guard.js'

/** Pause before a file is asked for again that could not be loaded, in milliseconds; up to twice as long. */
const PAUSE_MS = 15_000

/** Repeats `load` until it succeeds: the network may be away. Rejects only once `signal` has ended the waiting. */
export async function untilLoaded<T>(load: () => T | Promise<T>, log: Log, signal: AbortSignal): Promise<T> {
  for (;;)
    try {
      return await load()
    } catch (error) {
      log(error)
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, PAUSE_MS * (1 + Math.random()))
        signal.addEventListener('abort', () => {
          clearTimeout(timer)
          resolve()
        })
      })
      if (signal.aborted) throw error
    }
}

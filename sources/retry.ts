import { ReplayError } from './errors.js'

/**
 * One try of a request: its result, or why it should be tried again and how long the server asked to wait. `isPaced`:
 * the server takes no more than so many messages a second, and asks to come again.
 */
export type Attempt<T> =
  | { ok: true; value: T }
  | { ok: false; reason: string; retryAfterMs?: number; isPaced?: boolean }

export interface RetryOptions {
  sleep: (ms: number) => Promise<void>
  random: () => number
  /** Tries before giving up. Default 20: with the pauses below about three minutes, longer than a restart takes. */
  tries?: number
}

const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 15_000

/**
 * Tries until it works, with a jittered pause that doubles each time, and never sooner than the server asked for. To be
 * asked to send more slowly is no failure, however often it happens. Throws a ReplayError with the last reason when it
 * gives up.
 */
export async function withRetry<T>(
  what: string,
  attempt: () => Promise<Attempt<T>>,
  { sleep, random, tries = 20 }: RetryOptions,
): Promise<T> {
  for (let n = 1; ; n++) {
    const result = await attempt()
    if (result.ok) return result.value
    if (result.isPaced) {
      n--
      await sleep((result.retryAfterMs ?? FIRST_PAUSE_MS) + FIRST_PAUSE_MS * random())
      continue
    }
    if (n >= tries)
      throw new ReplayError(`${what} failed ${n} times, at last: ${result.reason}. Run the same command again later: \
it goes on where this one stopped, and nothing is counted twice`)
    const backOff = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (n - 1)) * (0.5 + random() / 2)
    await sleep(Math.max(backOff, result.retryAfterMs ?? 0))
  }
}

/**
 * Returns the milliseconds of a `Retry-After` header: seconds or an HTTP date. Undefined when there is none that can be
 * read.
 */
export function retryAfterMs(header: string | null, now: number): number | undefined {
  if (header === null || header.trim() === '') return undefined
  const seconds = Number(header)
  const ms = Number.isNaN(seconds) ? Date.parse(header) - now : seconds * 1_000
  return Number.isNaN(ms) ? undefined : Math.max(0, ms)
}

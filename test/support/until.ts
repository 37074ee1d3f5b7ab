/** How long a wait grows, as a part of what was waited so far, and at most: what is asked needs the processor, too. */
const PART = 0.03
const MOST_MS = 250

/**
 * Asks again until the answer is right, and returns it: every `everyMs` to begin with, less often later. Throws after
 * `timeoutMs` with the last answer or error, so that a failed test says what was there instead.
 */
export async function until<T>(
  what: string,
  ask: () => Promise<T> | T,
  isRight: (answer: T) => boolean,
  { timeoutMs = 90_000, everyMs = 50 }: { timeoutMs?: number; everyMs?: number } = {},
): Promise<T> {
  const began = Date.now()
  let last: unknown
  for (;;) {
    try {
      const answer = await ask()
      if (isRight(answer)) return answer
      last = answer
    } catch (error) {
      last = error
    }
    const waited = Date.now() - began
    if (waited > timeoutMs)
      throw new Error(
        `${what}: not within ${timeoutMs} ms; last: ${last instanceof Error ? last.message : JSON.stringify(last)}`,
      )
    await new Promise(resolve => setTimeout(resolve, Math.max(everyMs, Math.min(waited * PART, MOST_MS))))
  }
}

/**
 * Asks again until the answer is right, and returns it. Throws after `timeoutMs` with the last answer or error, so
 * that a failed test says what was there instead.
 */
export async function until<T>(
  what: string,
  ask: () => Promise<T> | T,
  isRight: (answer: T) => boolean,
  { timeoutMs = 90_000, everyMs = 50 }: { timeoutMs?: number; everyMs?: number } = {},
): Promise<T> {
  const deadline = Date.now() + timeoutMs
  let last: unknown
  for (;;) {
    try {
      const answer = await ask()
      if (isRight(answer)) return answer
      last = answer
    } catch (error) {
      last = error
    }
    if (Date.now() > deadline)
      throw new Error(
        `${what}: not within ${timeoutMs} ms; last: ${last instanceof Error ? last.message : JSON.stringify(last)}`,
      )
    await new Promise(resolve => setTimeout(resolve, everyMs))
  }
}
